"""What is kept of current materials: which parts of a product they tell, what the kit holds."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from fangyuan import door
from fangyuan.core.records import Record
from fangyuan.library.models import Material, Product
from fangyuan.org.models import Team

# PJ-3.2: the seven papers of the kit, by kind and, where a kind is not enough, by category.
KIT: Final[dict[str, tuple[str, str]]] = {
    "公司介绍": ("COMPANY", ""),
    "产品手册": ("PRODUCT_BOOK", ""),
    "解决方案模板": ("TEMPLATE", "SOLUTION"),
    "案例研究": ("CASE", ""),
    "演示PPT": ("SLIDES", ""),
    "报价模板": ("TEMPLATE", "QUOTE_TEMPLATE"),
    "合同范本": ("CONTRACT_TEMPLATE", ""),
}
KEEPER: Final = "marketing_dept"


def _current() -> Any:
    return Material.objects.everything("现行资料").present().filter(state="PUBLISHED")


@door.follows("product")
def keep_sections(_: Any, numbers: set[int]) -> None:
    """Write for these products what their current materials tell, where it differs."""
    told: dict[int, set[str]] = defaultdict(set)
    rows = _current().filter(product_id__in=numbers)
    for product, sections in rows.values_list("product_id", "sections"):
        told[product] |= set(sections)
    changed = []
    for product in Product._base_manager.filter(pk__in=numbers):
        now = sorted(told[product.pk])
        if product.material_sections != now:
            product.material_sections = now
            changed.append(product)
    Product._base_manager.bulk_update(changed, ["material_sections"])


@door.follows("material")
def keep_kit(deed: Any, numbers: set[int]) -> None:
    """Write which papers of the kit are current, and see to the products of these materials."""
    moved = Material._base_manager.filter(pk__in=numbers, product__isnull=False)
    keep_sections(deed, set(moved.values_list("product_id", flat=True)))
    there = set(_current().values_list("kind", "category"))
    now = [name for name, wanted in KIT.items() if _is_there(wanted, there)]
    for team in Team._base_manager.filter(code=KEEPER).exclude(kit=now):
        team.kit = now
        Team._base_manager.bulk_update([team], ["kit"])


def _is_there(wanted: tuple[str, str], there: set[tuple[str, str]]) -> bool:
    kind, category = wanted
    return any(
        one == kind and (not category or said == f"knowledge:{category}") for one, said in there
    )


def keep_all() -> None:
    """See to everything once, after rows were written in bulk."""
    everyone: list[type[Record]] = [Product, Material]
    for model, keep in zip(everyone, (keep_sections, keep_kit), strict=True):
        keep(None, set(model._base_manager.values_list("pk", flat=True)))
