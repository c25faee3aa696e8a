"""What rules may know of materials by the traces of their use, and of who signed what."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from fangyuan.access.models import AccessLog
from fangyuan.core import facts, measured
from fangyuan.desk.models import Change
from fangyuan.forms.models import Response
from fangyuan.library.models import Agreement, Material
from fangyuan.org.models import Person

READ = ("READ", "DOWNLOAD")
USED = ("SEND_OUT",)
SIDES = {"SALES": "销售", "CUSTOMER": "客户"}
FEEDBACK = "MATERIAL"


def traces(*kinds: str) -> Coalesce:
    """How many traces of these kinds a material has."""
    rows = AccessLog._base_manager.filter(
        subject_type="material", subject_id=OuterRef("pk"), kind__in=kinds
    )
    counted = rows.order_by().values("subject_id").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), Value(0))


def _feedback() -> Any:
    rows = Response._base_manager.filter(
        subject_type="material",
        subject_id=OuterRef("pk"),
        form__kind=FEEDBACK,
        submitted_at__isnull=False,
        removed_at=None,
    )
    return rows.order_by()


def _sides() -> ArraySubquery:
    side = Case(
        When(Q(respondent_id__isnull=False), then=Value("CUSTOMER")), default=Value("SALES")
    )
    return ArraySubquery(_feedback().annotate(side=side).values("side").distinct())


def _last_feedback() -> Subquery:
    latest = _feedback().values("subject_id").annotate(at=Max("submitted_at"))
    return Subquery(latest.values("at"))


def _signed() -> Subquery:
    rows = Agreement._base_manager.filter(person=OuterRef("pk"), kind="NDA", removed_at=None)
    first = rows.order_by().values("person").annotate(at=Min("signed_at"))
    return Subquery(first.values("at"))


def _answered() -> Subquery:
    rows = Material._base_manager.filter(answers_change=OuterRef("pk"), removed_at=None)
    first = rows.order_by().values("answers_change").annotate(at=Min("published_at"))
    return Subquery(first.values("at"))


_READS = (("access_log", "subject"),)
facts.extend(
    Material,
    {
        "read_count": facts.Derived(
            "查阅数", kind="int", reads=_READS, value=lambda: traces(*READ)
        ),
        "use_count": facts.Derived(
            "使用次数", kind="int", reads=_READS, value=lambda: traces(*USED)
        ),
        "unused_days": measured.Idle(
            "未用天数",
            source="access_log",
            at="at",
            subject="subject",
            when={"kind": [*READ, *USED]},
        ),
        "feedback_sides": facts.Derived(
            "反馈来源方",
            kind="set",
            choices=SIDES,
            reads=(("response", "subject"),),
            value=lambda: _sides(),
        ),
        "last_evaluated_at": facts.Derived(
            "最近效果评估",
            kind="at",
            reads=(("response", "subject"),),
            value=lambda: _last_feedback(),
        ),
    },
)
facts.extend(
    Person,
    {
        "nda_signed_at": facts.Derived(
            "保密协议签署", kind="at", reads=(("agreement", "person"),), value=lambda: _signed()
        )
    },
)
facts.extend(
    Change,
    {
        "material_updated_at": facts.Derived(
            "资料新版发布",
            kind="at",
            reads=(("material", "answers_change"),),
            value=lambda: _answered(),
        )
    },
)
