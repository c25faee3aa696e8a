"""What the tag regulation wants known of a customer and nobody has told yet (TAG-2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, Exists, Func, OuterRef, Q, TextField, Value, When

from fangyuan.core import facts
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.panels import Panel, Scene

# What the registered name of an organisation ends with; a shorter one is a nickname.
_FULL_NAME: Final = (
    "(公司|集团|厂|院|所|社|中心|学校|大学|银行|合作社|店|部|局|委|会|馆|站|队|处|园|场)"
    "([（(].*[）)])?$"  # noqa: RUF001 - Chinese names carry Chinese brackets
)


@dataclass(frozen=True)
class Gap:
    """One thing that may be missing: which clause wants it, where it is put right."""

    label: str
    clause: str
    field: str
    lacking: Q
    of_contact: bool = False


def _titled() -> Exists:
    main = Contact._base_manager.filter(
        customer=OuterRef("pk"), is_main=True, left_on=None, removed_at=None
    )
    return Exists(main.exclude(title=""))


_BOUGHT: Final = Q(prospect_at__isnull=False) | Q(won_at__isnull=False)
GAPS: Final = (
    Gap("法定全称", "TAG-2.1.1.1", "name", Q(kind="ORG") & ~Q(name__regex=_FULL_NAME)),
    Gap("联系人职位", "TAG-2.1.1.4", "title", ~Q(_titled()), of_contact=True),
    Gap("地域", "TAG-2.1.1.7", "region", Q(region=None)),
    Gap("经营范围", "TAG-2.1.1.8", "business_scope", Q(business_scope="")),
    Gap("行业", "TAG-2.1.2.1", "industry", Q(industry=None)),
    Gap("规模", "TAG-2.1.3.1", "size", Q(size=None)),
    Gap("产品需求", "TAG-2.1.4.1", "product_need", Q(product_need="") & _BOUGHT),
    Gap("购买意向", "TAG-2.1.5.1", "intent", Q(intent=None) & _BOUGHT),
    Gap("预算下限", "TAG-2.1.5.2", "budget_low", Q(budget_low=None) & _BOUGHT),
    Gap("决策周期", "TAG-2.1.5.3", "decision_days", Q(decision_days=None) & _BOUGHT),
)


def _missing() -> Func:
    """The labels of what is missing, in the order of the regulation."""
    told = [
        Case(When(gap.lacking, then=Value(gap.label)), output_field=TextField()) for gap in GAPS
    ]
    listed = Func(*told, template="ARRAY[%(expressions)s]", output_field=ArrayField(TextField()))
    return Func(
        listed,
        template="array_remove(%(expressions)s, NULL)",
        output_field=ArrayField(TextField()),
    )


facts.extend(
    Customer,
    {
        "info_gaps": facts.Derived(
            "资料缺项",
            kind="set",
            choices={gap.label: gap.label for gap in GAPS},
            reads=(("contact", "customer"),),
            value=lambda: _missing(),
        )
    },
)


@dataclass
class Gaps(Panel):
    """What is missing, each with its clause and the way to put it right."""

    name: str = "gaps"
    title: str = "资料缺项"
    is_side: bool = True
    is_lazy: bool = True
    looks_back: ClassVar[bool] = False
    folder: ClassVar[str] = "customers"

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = facts.annotate(Customer._base_manager.filter(pk=scene.record.pk), ["info_gaps"])
        path = facts.find(Customer, "info_gaps").path
        contact = Contact._base_manager.filter(
            customer=scene.record, is_main=True, left_on=None, removed_at=None
        ).values("pk")[:1]
        told: tuple[list[str], int | None]
        told = rows.values_list(path, contact).first() or ([], None)
        shown = [gap for gap in GAPS if gap.label in told[0] and gap.field not in scene.hidden]
        return {
            "gaps": [{"gap": gap, "url": _where(gap, scene, told[1])} for gap in shown],
            "all": len(GAPS),
        }


def _where(gap: Gap, scene: Scene, contact: int | None) -> str:
    if not scene.may_edit:
        return ""
    if not gap.of_contact:
        return scene.url(f"/edit#id_{gap.field}")
    if contact is None:
        return f"/contact/new?customer={scene.record.pk}"
    return f"/contact/{contact}/edit#id_{gap.field}"
