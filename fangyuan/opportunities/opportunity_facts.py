"""What rules may know of opportunities."""

from __future__ import annotations

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from fangyuan.core import facts, measured
from fangyuan.customers.models import Contact
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.opportunities.models import Need, Opportunity, Rivalry, StageEntry, Step
from fangyuan.opportunities.models.stage import StageTag
from fangyuan.org.models import Holding

METHODS = {"BANT": "BANT", "MEDDPICC": "MEDDPICC"}
TEXTS = ArrayField(TextField())


def _said(*names: str) -> Q:
    """Nothing of these texts is empty."""
    told = Q()
    for name in names:
        told &= ~Q(**{name: ""})
    return told


def _contacts(**where: object) -> Contact:
    return Contact._base_manager.filter(
        customer=OuterRef("customer"), left_on=None, removed_at=None, **where
    ).order_by()


def _count(rows: object, by: str) -> Coalesce:
    counted = rows.values(by).annotate(fy_n=Count("pk")).values("fy_n")  # type: ignore[attr-defined]
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _needs(**where: object) -> Need:
    return Need._base_manager.filter(
        opportunity=OuterRef("pk"), removed_at=None, **where
    ).order_by()


def _methods() -> Func:
    """Which ways of judging were answered in full (PS-2.2.2.2, PJ-2.2.2.2)."""
    bant = _said("budget", "authority", "timeframe") & (
        Q(need_ok=True) | _said("needs_summary") | _said("real_need")
    )
    meddpicc = (
        _said("metrics_note", "authority", "criteria", "decision_chain", "procurement", "pain")
        & Q(champion__isnull=False)
        & Q(Exists(Rivalry._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None)))
    )
    named = [Case(When(bant, then=Value("BANT"))), Case(When(meddpicc, then=Value("MEDDPICC")))]
    return Func(
        *named, template="array_remove(ARRAY[%(expressions)s]::text[], NULL)", output_field=TEXTS
    )


def _done(kind: str) -> ArraySubquery:
    rows = Step._base_manager.filter(
        opportunity=OuterRef("pk"), kind=kind, state="DONE", removed_at=None
    )
    return ArraySubquery(rows.order_by("name").values("name"))


def _entered() -> StageEntry:
    return StageEntry._base_manager.filter(
        subject_type="opportunity", subject_id=OuterRef("pk"), left_at=None, removed_at=None
    )


# The fields that every opportunity needs, each as it is lacking (PA-15.2).
LACKING = (
    Q(amount=None), Q(expected_on=None), Q(source=None), Q(needs_summary=""), Q(next_step=""),
)  # fmt: skip


def missing() -> Combinable:
    """How many of the fields that every opportunity needs are empty."""
    total = Value(0)
    for one in LACKING:
        total = total + Case(When(one, then=Value(1)), default=Value(0))
    return ExpressionWrapper(total, output_field=IntegerField())


def _joined(*roles: str) -> Exists:
    return Exists(
        Holding._base_manager.filter(
            subject_type="opportunity", subject_id=OuterRef("pk"), role__in=roles,
            ends_at=None, removed_at=None,
        )
    )  # fmt: skip


facts.extend(
    Opportunity,
    {
        "is_ka": facts.Via("KA客户", "bool", link="customer", to="customer", of="is_ka"),
        "is_key": facts.Via("重点客户", "bool", link="customer", to="customer", of="is_key"),
        "is_open": facts.Among("在途", of="outcome", values=("OPEN",)),
        "stage_tag": facts.Derived(
            "阶段标签",
            kind="enum",
            choices=dict(StageTag.choices),
            value=lambda: F("stage__stage_tag"),
        ),
        "stage_at": facts.Derived(
            "进入本阶段",
            kind="at",
            reads=(("stage_entry", "subject"),),
            value=lambda: Subquery(_entered().values("entered_at")[:1]),
        ),
        "stage_days": measured.Idle(
            "停留天数", source="stage_entry", at="entered_at", subject="subject"
        ),
        "contacts_count": facts.Derived(
            "关键联系人数",
            kind="int",
            value=lambda: _count(_contacts().exclude(roles=[]), "customer"),
        ),
        "contact_roles": facts.Derived(
            "已识别客户角色",
            kind="set",
            choices=dict(Contact.Part.choices),
            value=lambda: ArraySubquery(
                _contacts()
                .annotate(part=Func(F("roles"), function="unnest", output_field=TextField()))
                .values("part")
            ),
        ),
        "influencer_known": facts.Derived(
            "关键影响人已明",
            kind="bool",
            value=lambda: Exists(_contacts(roles__contains=["INFLUENCER"])),
        ),
        "deciders_known": facts.Derived(
            "已识别决策人数",
            kind="int",
            value=lambda: _count(_contacts(roles__contains=["DECIDER"]), "customer"),
        ),
        "methods": facts.Derived(
            "已答评估方法", kind="set", choices=METHODS, value=lambda: _methods()
        ),
        "goals_known": facts.Derived(
            "期望目标已明",
            kind="bool",
            reads=(("need", "opportunity"),),
            value=lambda: is_true(_said("business_goal") | Q(Exists(_needs(kind="GOAL")))),
        ),
        "needs_count": facts.Derived(
            "需求条目数",
            kind="int",
            reads=(("need", "opportunity"),),
            value=lambda: _count(_needs(), "opportunity"),
        ),
        "deliverables": facts.Derived(
            "已交付物",
            kind="set",
            reads=(("step", "opportunity"),),
            value=lambda: _done("DELIVERABLE"),
        ),
        "rivals": facts.Derived(
            "竞争对手",
            kind="set",
            domain="competitor",
            reads=(("rivalry", "opportunity"),),
            value=lambda: ArraySubquery(
                Rivalry._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None)
                .order_by("rival_id")
                .values(code=Cast("rival__code", TextField()))
            ),
        ),
        "rival_known": facts.Derived(
            "竞争信息已填",
            kind="bool",
            reads=(("rivalry", "opportunity"),),
            value=lambda: Exists(
                Rivalry._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None)
            ),
        ),
        "presales_in": facts.Derived(
            "售前已参与",
            kind="bool",
            reads=(("holding", "subject"),),
            value=lambda: _joined("PRESALES", "TECHNICAL"),
        ),
        "required_missing": facts.Derived("缺填必填项数", kind="int", value=lambda: missing()),
        "state_gap": facts.Derived(
            "与客户节奏差",
            kind="int",
            value=lambda: Func(
                F("stage__seq") - Coalesce(F("customer_state"), F("stage__seq")),
                function="abs",
                output_field=IntegerField(),
            ),
        ),
    },
)
facts.declare_streams(
    Opportunity,
    {
        "opportunity.stage_entered": facts.Stream("stage_entry", "entered_at", "subject"),
        "opportunity.closed": facts.Stream("opportunity", "closed_at"),
    },
)
gates.met_at("opportunity", "needs_count", "/need/new?opportunity={id}")
gates.met_at("opportunity", "rival_known", "/rivalry/new?opportunity={id}")
for _name, _place in {
    "deliverables": "/opportunity/{id}#items",
    "initiated_at": "/opportunity/{id}/do/initiate",
    "evaluation": "/opportunity/{id}/do/evaluate",
    "evaluated_at": "/opportunity/{id}/do/evaluate",
    "methods": "/opportunity/{id}#p-sheet",
    "presales_in": "/opportunity/{id}/do/add_member?role=PRESALES",
    "influencer_known": "/pipeline/contacts/{id}",
    "contacts_count": "/pipeline/contacts/{id}",
    "deciders_known": "/pipeline/contacts/{id}",
    "contact_roles": "/pipeline/contacts/{id}",
}.items():
    gates.met_at("opportunity", _name, _place)
