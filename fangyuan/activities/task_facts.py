"""What rules may know of tasks, plans, reports and the use of means."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now

from fangyuan.activities.models import Plan, PlanItem, Report, ResourceUsage, Task
from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.org.models import Message

PER_CENT = DecimalField(max_digits=7, decimal_places=2)
TEXTUAL = ("content", "trainer")
HOURS = DecimalField(max_digits=12, decimal_places=2)
LIKELY = 50  # per cent of a chance to win


def hours_between(start: str, end: str) -> Func:
    """Hours from one instant of a record to another, with two decimals."""
    return Func(
        F(end),
        F(start),
        template="round(extract(epoch FROM %(expressions)s) / 3600, 2)",
        arg_joiner=" - ",
        output_field=HOURS,
    )


def _items(**more: Any) -> Any:
    rows = PlanItem._base_manager.filter(plan=OuterRef("pk"), removed_at=None)
    return rows.filter(**more).order_by()


def _count(rows: Any, by: str) -> Coalesce:
    counted = rows.values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def _priority_share() -> Case:
    """How much of what a plan gives out goes to what matters most: by money, else by lines."""
    shared = _items().values("plan").annotate(
        money=Sum("amount"),
        share=ExpressionWrapper(
            Coalesce(
                Sum("amount", filter=Q(is_priority=True)) * 100.0 / Func(
                    Sum("amount"), Value(0), function="nullif", output_field=PER_CENT
                ),
                Count("pk", filter=Q(is_priority=True)) * 100.0 / Count("pk"),
                output_field=PER_CENT,
            ),
            output_field=PER_CENT,
        ),
    )  # fmt: skip
    return Coalesce(Subquery(shared.values("share")[:1], output_field=PER_CENT), Value(0),
                    output_field=PER_CENT)  # fmt: skip


def _done_rate() -> Case:
    done = _count(_items(done_at__isnull=False), "plan")
    share = ExpressionWrapper(done * 100.0 / _count(_items(), "plan"), output_field=PER_CENT)
    return Case(When(Exists(_items()), then=share))


def _actions() -> Any:
    """Lines with a responsible person and a date, and tasks that were made of the plan."""
    tasks = Task._base_manager.filter(plan=OuterRef("pk"), kind="ACTION", removed_at=None)
    lines = _items(owner__isnull=False, due_on__isnull=False)
    return _count(lines, "plan") + _count(tasks.order_by(), "plan")


# What each line of a training plan has to say (KA-6.2c), by its column.
PARTS = {"培训内容": "content", "培训方式": "mode", "培训时间": "at", "培训师资": "trainer"}


def _sections() -> Func:
    """The parts that every line gives."""
    parts = []
    for name, column in PARTS.items():
        empty = Q(**{column: None}) | (Q(**{column: ""}) if column in TEXTUAL else Q())
        given = Q(Exists(_items())) & ~Q(Exists(_items().filter(empty)))
        parts.append(Case(When(given, then=Value(name))))
    return Func(
        *parts,
        template="array_remove(ARRAY[%(expressions)s]::text[], NULL)",
        output_field=ArrayField(TextField()),
    )


facts.extend(
    Plan,
    {
        "sections": facts.Derived(
            "各项已含栏目", kind="set", reads=(("plan_item", "plan"),), value=lambda: _sections()
        ),
        "item_count": facts.Derived(
            "项数",
            kind="int",
            reads=(("plan_item", "plan"),),
            value=lambda: _count(_items(), "plan"),
        ),
        "done_rate": facts.Derived(
            "完成率", kind="number", reads=(("plan_item", "plan"),), value=lambda: _done_rate()
        ),
        "priority_share": facts.Derived(
            "重点对象占比",
            kind="number",
            reads=(("plan_item", "plan"),),
            value=lambda: _priority_share(),
        ),
        "actions_count": facts.Derived(
            "行动项数",
            kind="int",
            reads=(("plan_item", "plan"), ("task", "plan")),
            value=lambda: _actions(),
        ),
        "owner": facts.Derived(
            "负责人", kind="record", value=lambda: Coalesce(F("person"), F("team__leader"))
        ),
    },
)


def _about(model: Any, **more: Any) -> Any:
    rows = model._base_manager.filter(
        subject_type="report", subject_id=OuterRef("pk"), removed_at=None, **more
    )
    return rows.order_by()


facts.extend(
    Report,
    {
        "owner": facts.Derived("提交人", kind="record", value=lambda: F("person")),
        "is_generated": facts.Derived(
            "由数据填写", kind="bool", value=lambda: is_true(~Q(numbers={}))
        ),
        "read_count": facts.Derived(
            "阅读数",
            kind="int",
            reads=(("message", "subject"),),
            value=lambda: _count(_about(Message, seen_at__isnull=False), "subject_id"),
        ),
        "action_count": facts.Derived(
            "后续任务数",
            kind="int",
            reads=(("task", "subject"),),
            value=lambda: _count(_about(Task), "subject_id"),
        ),
        "adopted_count": facts.Derived(
            "建议采纳数",
            kind="int",
            reads=(("task", "subject"),),
            value=lambda: _count(_about(Task, kind="ALLOCATE"), "subject_id"),
        ),
    },
)
facts.extend(
    Task,
    {
        "owner": facts.Derived("责任人", kind="record", value=lambda: F("person")),
        "is_done": facts.Derived(
            "已完成", kind="bool", value=lambda: is_true(Q(done_at__isnull=False))
        ),
        "on_time": facts.Derived(
            "按期",
            kind="bool",
            value=lambda: is_true(
                Q(done_at__isnull=False) & (Q(due_at=None) | Q(done_at__lte=F("due_at")))
            ),
        ),
        "response_hours": facts.Derived(
            "响应时长", kind="number", value=lambda: hours_between("asked_at", "accepted_at")
        ),
    },
)


def _is_focused() -> Q:
    """Spent on what is likely to be won, or is among the dearest fifth (PS-1.1c)."""
    dear = Func(
        template="(SELECT percentile_cont(0.8) WITHIN GROUP (ORDER BY amount)"
        " FROM opportunities_opportunity WHERE removed_at IS NULL)::numeric",
        output_field=DecimalField(max_digits=18, decimal_places=2),
    )
    return Q(opportunity__win_rate__gte=LIKELY) | Q(opportunity__amount__gte=dear)


facts.extend(
    ResourceUsage,
    {
        "owner": facts.Derived("使用人", kind="record", value=lambda: F("person")),
        "entry_hours": facts.Derived(
            "录入间隔", kind="number", value=lambda: hours_between("occurred_at", "recorded_at")
        ),
        "is_focused": facts.Derived(
            "投向目标商机", kind="bool", value=lambda: is_true(_is_focused())
        ),
        "in_hand": facts.Derived(
            "在手",
            kind="bool",
            value=lambda: is_true(
                Q(kind__in=("MATERIAL", "GIFT"), damage="NONE")
                & (Q(returned_at=None) | Q(returned_at__gt=Now()))
            ),
        ),
    },
)
