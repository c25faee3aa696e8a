"""Verbs on products, price lists and materials: what is sold, what holds, what may be shown."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.library.models import Price


@door.verb("product", label="上市", writes=("state",))
def release_product(deed: door.Deed, product: Any) -> Any:
    """Begin to sell a product."""
    return deed.move(product, "ON_SALE")


@door.verb("product", label="停售", writes=("state", "retired_at"))
def retire_product(deed: door.Deed, product: Any) -> Any:
    """Stop selling a product; what was quoted stays as it was."""
    return deed.move(product, "RETIRED", retired_at=deed.at)


@door.verb("price_list", label="启用", writes=("stage",))
def activate_price_list(deed: door.Deed, price_list: Any) -> Any:
    """Put a price list in force; raises Refused while it holds no price (DAY-4.2.1)."""
    priced = Price.objects.everything("价格表有没有价格").present().filter(price_list=price_list)
    if not priced.exists():
        raise door.Refused([door.Unmet("价格表里还没有价格", "", record="price_list")])
    return deed.move(price_list, "ACTIVE")


@door.verb("price_list", label="停用", writes=("stage",))
def retire_price_list(deed: door.Deed, price_list: Any) -> Any:
    """Take a price list out of force; quotes made from it keep their prices."""
    return deed.move(price_list, "RETIRED")


@door.verb(
    "material",
    label="核验",
    asks=("is_accurate", "is_full", "is_clear"),
    writes=("state", "is_accurate", "is_full", "is_clear"),
)
def check_material(deed: door.Deed, material: Any, **found: Any) -> Any:
    """Note that a material was read for accuracy, completeness and clarity (RES-5.1.1b)."""
    return deed.move(material, "CHECKED", **found)


@door.verb("material", label="发布", writes=("state", "published_at", "effective_on"))
def publish_material(deed: door.Deed, material: Any) -> Any:
    """Make a material the current version of its number (RES-5.1.1b)."""
    on = material.effective_on or deed.at.date()
    return deed.move(material, "PUBLISHED", published_at=deed.at, effective_on=on)


@door.verb("material", label="准许对外", writes=("level",))
def open_to_customers(deed: door.Deed, material: Any) -> Any:
    """Let a published material be given to customers."""
    if material.state != "PUBLISHED":
        raise door.Denied("先发布资料，才能准许对外")
    return deed.change(material, level="EXTERNAL")


@door.verb("material", label="停用", writes=("state",))
def retire_material(deed: door.Deed, material: Any) -> Any:
    """Take a material out of use."""
    return deed.move(material, "RETIRED")
