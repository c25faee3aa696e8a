"""What rules may know of inspections, findings and notices."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, Count, F, Func, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.supervision.models import Finding, Inspection, Rectification


def _found(**more: Any) -> Any:
    rows = Finding._base_manager.filter(inspection=OuterRef("pk"), removed_at=None, **more)
    counted = rows.order_by().values("inspection").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), Value(0))


def _notice_at() -> Subquery:
    """When the first notice about a finding went out."""
    issued = Rectification._base_manager.filter(
        finding=OuterRef("pk"), removed_at=None, issued_at__isnull=False
    )
    first = issued.order_by().values("finding").annotate(first=Min("issued_at"))
    return Subquery(first.values("first"))


def remeasured() -> Case:
    """Whether all that a notice names is right again; true of one that names no duty."""
    wrong = Func(
        F("obligations"),
        F("periods"),
        F("issued_at"),
        template="EXISTS (SELECT FROM supervision_measure(%(expressions)s) m WHERE NOT m.is_right)",
        output_field=models.BooleanField(),
    )
    return Case(When(wrong, then=Value(False)), default=Value(True))


facts.extend(
    Inspection,
    {
        "finding_count": facts.Derived(
            "问题数",
            kind="int",
            reads=(("finding", "inspection"),),
            value=lambda: _found(verdict=Finding.Verdict.PROBLEM),
        ),
        "sampled": facts.Derived(
            "样本数", kind="int", reads=(("finding", "inspection"),), value=lambda: _found()
        ),
    },
)
facts.extend(
    Finding,
    {
        "subject_kind": facts.Derived("对象类型", value=lambda: F("subject_type")),
        "has_proof": facts.Derived(
            "有证据", kind="bool", value=lambda: is_true(Q(proof__isnull=False))
        ),
        "notice_at": facts.Derived(
            "整改发出",
            kind="at",
            reads=(("rectification", "finding"),),
            value=lambda: _notice_at(),
        ),
    },
)
facts.extend(
    Rectification,
    {
        "remeasured": facts.Derived("复测转好", kind="bool", value=lambda: remeasured()),
        "on_time": facts.Derived(
            "按期销号", kind="bool", value=lambda: is_true(Q(closed_at__lte=F("due_at")))
        ),
    },
)
facts.declare_streams(
    Finding, {"finding.found": facts.Stream("finding", "found_at", "", {"verdict": "PROBLEM"})}
)
