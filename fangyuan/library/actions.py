"""Verbs on products, price lists and materials: what is sold, what holds, what may be shown."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.desk.models import Attachment
from fangyuan.library.models import Material, Price

TEMPLATE = Material.Kind.CONTRACT_TEMPLATE


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
    stages=("DRAFT",),
)
def check_material(deed: door.Deed, material: Any, **found: Any) -> Any:
    """Note that a material was read for accuracy, completeness and clarity (RES-5.1.1b)."""
    return deed.move(material, "CHECKED", **found)


@door.verb(
    "material",
    label="发布",
    writes=("state", "published_at", "effective_on"),
    stages=("CHECKED",),
)
def publish_material(deed: door.Deed, material: Any) -> Any:
    """Make a material the current version of its number, in place of the one before it
    (RES-5.1.1b, RES-4.4.1a); a contract template takes the way of its own."""
    if material.kind == TEMPLATE:
        raise door.Denied("合同模板要先双方签认，再经管理层批准启用")
    return _published(deed, material)


def _published(deed: door.Deed, material: Any, **more: Any) -> Any:
    current = Material.objects.everything("旧版停用").present()
    for old in current.filter(code=material.code, state="PUBLISHED").exclude(pk=material.pk):
        with deed.entrusted():
            deed.move(old, "RETIRED")
    on = material.effective_on or deed.at.date()
    return deed.move(material, "PUBLISHED", published_at=deed.at, effective_on=on, **more)


@door.verb("material", label="改版", asks=("summary",), stages=("PUBLISHED", "RETIRED"))
def revise_material(deed: door.Deed, material: Any, *, summary: str = "") -> Any:
    """Begin the next version of a material as a draft that says what it improves (RES-5.1.3c)."""
    versions = Material.objects.everything("版本号").filter(code=material.code)
    kept = ("code", "title", "kind", "category_id", "product_id", "sections", "expires_on")
    values = {name: getattr(material, name) for name in kept}
    last = versions.order_by("-version").values_list("version", flat=True)[0]
    values |= {"version": last + 1, "improves": material, "summary": summary or material.summary}
    return deed.create(Material, values)


@door.verb("material", label="准许对外", writes=("level",), stages=("PUBLISHED",))
def open_to_customers(deed: door.Deed, material: Any) -> Any:
    """Let a published material be given to customers (RES-5.1.2b)."""
    if material.state != "PUBLISHED":
        raise door.Denied("先发布资料，才能准许对外")
    return deed.change(material, level="EXTERNAL")


@door.verb(
    "material",
    label="双方签认",
    writes=("state", "legal_signed_at", "sales_signed_at"),
    stages=("CHECKED",),
)
def sign_template(deed: door.Deed, material: Any) -> Any:
    """Note that the legal and the sales department stand by a contract template (RES-5.2.1a)."""
    _only_templates(material)
    return deed.move(material, "WAITING", legal_signed_at=deed.at, sales_signed_at=deed.at)


@door.verb(
    "material",
    label="启用模板",
    writes=("state", "published_at", "effective_on"),
    stages=("WAITING",),
)
def enable_template(deed: door.Deed, material: Any) -> Any:
    """Have contracts made from this template from now on (RES-5.2.1c, RES-2.3.2)."""
    _only_templates(material)
    material = deed.held(material)
    if not (material.legal_signed_at and material.sales_signed_at):
        raise door.Denied("法务和销售部门双方签认以后，才能启用")
    files = Attachment.objects.everything("模板正文").present()
    text = files.filter(subject_type="material", subject_id=material.pk).order_by("-pk").first()
    made = _published(deed, material)
    if text is not None:
        Material._base_manager.filter(pk=made.pk).update(fixed_hash=text.sha256)
    return made


def _only_templates(material: Any) -> None:
    if material.kind != TEMPLATE:
        raise door.Denied("只有销售合同模板要双方签认和批准启用，别的资料核验后发布即可")


@door.verb("material", label="停用", writes=("state",))
def retire_material(deed: door.Deed, material: Any) -> Any:
    """Take a material out of use."""
    return deed.move(material, "RETIRED")
