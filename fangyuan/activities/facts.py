"""What rules may know of activities, plans and tasks, and of customers through them."""

from __future__ import annotations

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    Subquery,
    TextField,
    When,
)
from django.db.models.functions import Cast, Coalesce

from fangyuan.activities.days import LocalDay
from fangyuan.activities.models import NO_ISSUE, Activity, Participant, Plan, PlanItem, Task
from fangyuan.core import facts, measured
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.models import is_true
from fangyuan.engine import gates
from fangyuan.org.models import Membership, Person, Team


def _items() -> PlanItem:
    return PlanItem._base_manager.filter(plan=OuterRef("pk"), removed_at=None)


# What a line of a plan must say: a visit (KA-3.3.1a), an opening (DAY-2.1.1), a campaign
# (RES-4.2.1a), a course (RES-6.2.1); of any other at least what for.
_LACKING = {
    Plan.Kind.VISIT: Q(subject_id=None) | Q(at=None) | Q(purpose="") | Q(content=""),
    Plan.Kind.RECRUIT: Q(quantity=None) | Q(purpose="") | Q(content=""),
    Plan.Kind.CAMPAIGN: Q(at=None) | Q(place="") | Q(mode=None) | Q(purpose="") | Q(content=""),
    Plan.Kind.TRAINING: Q(at=None) | Q(place="") | Q(trainer="") | Q(purpose=""),
}


def _items_complete() -> Q:
    """There are items, and each says what a line of such a plan must say."""
    wrong = Q(purpose="")
    for kind, lacking in _LACKING.items():
        wrong |= Q(plan__kind=kind) & lacking
    lacking = _items().filter(wrong)
    return is_true(Q(Exists(_items())) & ~Q(Exists(lacking)))


def _issues_tasked_at() -> Case:
    """The first task about the issues; where it was noted that there is none, the record itself."""
    tasks = (
        Task._base_manager.filter(
            kind=Task.Kind.CUSTOMER_ISSUE,
            subject_type="activity",
            subject_id=OuterRef("pk"),
            removed_at=None,
        )
        .order_by()
        .values("subject_id")
        .annotate(first=Min("asked_at"))
    )
    return Case(
        When(customer_issues__in=NO_ISSUE, then=F("written_at")),
        default=Subquery(tasks.values("first")),
    )


def _contact_roles() -> ArraySubquery:
    """Which parts in the customer's decision were there."""
    rows = Participant._base_manager.filter(activity=OuterRef("pk"), removed_at=None)
    parts = Func(F("contact__roles"), function="unnest", output_field=TextField())
    return ArraySubquery(rows.annotate(part=parts).order_by().values("part").distinct())


def _our_roles() -> ArraySubquery:
    """The positions that ours who were there held on that day."""
    at = Coalesce(OuterRef("started_at"), OuterRef("planned_at"), OuterRef("recorded_at"))
    day = LocalDay(at)
    there = Participant._base_manager.filter(
        activity=OuterRef(OuterRef("pk")), person__isnull=False, removed_at=None
    )
    rows = Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=day), removed_at=None, starts_on__lte=day
    ).filter(Q(person=OuterRef("person_id")) | Q(person__in=there.values("person")))
    codes = rows.annotate(code=Cast("position__code", TextField())).order_by().values("code")
    return ArraySubquery(codes.distinct())


def _of_customer(label: str, name: str) -> facts.Via:
    return facts.Via(label, kind="bool", link="customer", to="customer", of=name)


facts.extend(
    Activity,
    {
        "is_ka": _of_customer("KA客户", "is_ka"),
        "is_key": _of_customer("重点客户", "is_key"),
        "subject_customer": facts.Derived("客户", kind="record", value=lambda: F("customer_id")),
        "owner": facts.Derived("执行人", kind="record", value=lambda: F("person")),
        "contact_roles": facts.Derived(
            "到场客户角色",
            kind="set",
            choices=dict(Contact.Part.choices),
            reads=(("participant", "activity"),),
            value=lambda: _contact_roles(),
        ),
        "our_roles": facts.Derived(
            "我方到场岗位",
            kind="set",
            reads=(("participant", "activity"), ("membership", "", "")),
            value=lambda: _our_roles(),
        ),
        "need_linked": facts.Derived(
            "关联需求", kind="bool", value=lambda: is_true(~Q(answers_needs=[]))
        ),
        "is_recorded": facts.Derived(
            "有记录",
            kind="bool",
            value=lambda: is_true(
                Q(written_at__isnull=False)
                | ~(Q(situation="") & Q(feedback="") & Q(result="") & Q(customer_issues=""))
            ),
        ),
        "is_effective": facts.Derived(
            "有效沟通",
            kind="bool",
            value=lambda: is_true(Q(is_connected=True, got_new_info=True)),
        ),
        "issues_tasked_at": facts.Derived(
            "客户问题建成任务的时刻",
            kind="at",
            reads=(("task", "subject"),),
            value=lambda: _issues_tasked_at(),
        ),
    },
)
facts.extend(
    Plan,
    {
        "items_complete": facts.Derived(
            "各项字段齐全",
            kind="bool",
            reads=(("plan_item", "plan"),),
            value=lambda: _items_complete(),
        )
    },
)
facts.extend(
    Customer,
    {
        "idle_days": measured.Idle(
            "无跟进天数", source="activity", at="ended_at", subject="customer"
        ),
        "last_contact_at": facts.Derived(
            "最近沟通",
            kind="at",
            reads=(("activity", "customer"),),
            value=lambda: Subquery(
                Activity._base_manager.filter(
                    customer=OuterRef("pk"), ended_at__isnull=False, removed_at=None
                )
                .order_by("-ended_at")
                .values("ended_at")[:1]
            ),
        ),
        "interest_noted": facts.Derived(
            "有兴趣与沟通记录",
            kind="bool",
            reads=(("activity", "customer"),),
            value=lambda: is_true(
                Q(intent__isnull=False)
                & Q(
                    Exists(
                        Activity._base_manager.filter(
                            customer=OuterRef("pk"), stage=Activity.Stage.DONE, removed_at=None
                        )
                    )
                )
            ),
        ),
    },
)
gates.met_at("customer", "interest_noted", "/visits/new?customer={id}")
facts.declare_streams(
    Customer,
    {
        "customer.talked": facts.Stream("activity", "ended_at", "customer", {"stage": "DONE"}),
        "customer.visited": facts.Stream(
            "activity", "ended_at", "customer", {"kind": "VISIT", "stage": "DONE"}
        ),
        "customer.deep_talked": facts.Stream(
            "activity", "ended_at", "customer", {"is_deep": True, "stage": "DONE"}
        ),
        "activity.incoming": facts.Stream(
            "activity", "ended_at", "customer", {"is_incoming": True}
        ),
        "activity.outgoing": facts.Stream(
            "activity", "ended_at", "customer", {"is_incoming": False}
        ),
    },
)
facts.declare_streams(
    Activity,
    {
        "visit.ended": facts.Stream("activity", "ended_at", "", {"kind": "VISIT"}),
        "visit.written": facts.Stream("activity", "written_at", "", {"kind": "VISIT"}),
    },
)
facts.declare_streams(
    Person,
    {
        "plan.submitted": facts.Stream("plan", "submitted_at", "person"),
        "report.submitted": facts.Stream("report", "submitted_at", "person"),
    },
)
facts.declare_streams(Team, {"meeting.held": facts.Stream("meeting", "ended_at", "team")})
