"""What is known of the way through the stages: how long, how far, how full, and how it ended."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    DecimalField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import LessThan

from fangyuan.core import facts
from fangyuan.customers.models import Contact
from fangyuan.desk.models import is_true
from fangyuan.opportunities.models import Need, Opportunity, Stage, StageEntry, Step
from fangyuan.opportunities.opportunity_facts import LACKING, missing

EARLY = 2  # the stages in which a loss is an early one: the first two (PS-2.2.5.4: S2 and S3)


def days(until: Any, since: Any) -> Func:
    """Whole calendar days of the company from one instant to another."""
    return Func(
        TruncDate(until),
        TruncDate(since),
        template="(%(expressions)s)",
        arg_joiner=" - ",
        output_field=IntegerField(),
    )


def _begun() -> Coalesce:
    """When the opportunity was taken up; where nobody said so, when it was entered."""
    return Coalesce("initiated_at", "recorded_at", output_field=DateTimeField())


def _is_early() -> Q:
    """Closed without a win in one of the first stages that an opportunity passes."""
    before = Stage._base_manager.filter(
        pipeline=OuterRef("pipeline"),
        owner_record=Stage.Carrier.OPPORTUNITY,
        seq__lt=OuterRef("stage__seq"),
        removed_at=None,
    )
    counted = before.order_by().values("pipeline").annotate(n=Count("pk")).values("n")
    place = Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
    return Q(outcome__in=["LOST", "DROPPED"]) & Q(LessThan(place, Value(EARLY)))


def _standing() -> Coalesce:
    """How many open opportunities stand in the stage now."""
    there = Opportunity._base_manager.filter(stage=OuterRef("pk"), outcome="OPEN", removed_at=None)
    counted = there.order_by().values("stage").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _stayed() -> Func:
    return Func(
        F("left_at"),
        F("entered_at"),
        template="(extract(epoch FROM %(expressions)s) / 86400)::numeric(12, 4)",
        arg_joiner=" - ",
        output_field=DecimalField(max_digits=12, decimal_places=4),
    )


def _subject(column: str) -> Subquery:
    """Something of the opportunity that a stage entry is about."""
    found = Opportunity._base_manager.filter(pk=OuterRef("subject_id"))
    return Subquery(found.values(column)[:1])


def _decider_known() -> Case:
    customers = Opportunity._base_manager.filter(pk=OuterRef(OuterRef("subject_id")))
    found = Contact._base_manager.filter(
        customer__in=customers.values("customer"),
        roles__contains=["DECIDER"],
        left_on=None,
        removed_at=None,
    )
    return Case(
        When(Q(subject_type="opportunity") & Q(Exists(found)), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


facts.extend(
    Opportunity,
    {
        "cycle_days": facts.Derived(
            "销售周期天数", kind="int", value=lambda: days("closed_at", _begun())
        ),
        "closed_early": facts.Derived("前段关闭", kind="bool", value=lambda: is_true(_is_early())),
        "required_total": facts.Derived(
            "应填要素数", kind="int", value=lambda: Value(len(LACKING), IntegerField())
        ),
        "required_filled": facts.Derived(
            "已填要素数", kind="int", value=lambda: Value(len(LACKING)) - missing()
        ),
    },
)
facts.extend(
    Stage,
    {"open_count": facts.Derived("在途商机数", kind="int", value=lambda: _standing())},
)
facts.extend(
    StageEntry,
    {
        "days": facts.Derived("停留天数", kind="number", value=lambda: _stayed()),
        "moved_on": facts.Derived(
            "已进入下一阶段",
            kind="bool",
            value=lambda: is_true(Q(left_to__seq__gt=F("stage__seq"))),
        ),
        "decider_known": facts.Derived("已识别决策者", kind="bool", value=lambda: _decider_known()),
        "customer": facts.Derived("客户", kind="record", value=lambda: _subject("customer")),
        "source": facts.Derived(
            "来源", kind="enum", domain="source", value=lambda: _subject("source")
        ),
    },
)
facts.extend(
    Step,
    {
        "on_time": facts.Derived(
            "按期",
            kind="bool",
            value=lambda: is_true(Q(state="DONE", done_at__date__lte=F("due_on"))),
        )
    },
)
facts.extend(
    Need,
    {
        "is_answered": facts.Derived(
            "方案已响应", kind="bool", value=lambda: is_true(Q(answered_at__isnull=False))
        )
    },
)
