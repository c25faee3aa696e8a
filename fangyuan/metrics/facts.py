"""What is known of targets and their parts, and which duties are duties to record something."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    DecimalField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.lookups import IsNull

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.engine.models import Obligation
from fangyuan.metrics import dimensions
from fangyuan.metrics.models import Target
from fangyuan.org.models import Membership, Person, Team

ALONE = "个人"
# What a rule waits for when it waits for a record to be entered or kept up.
ENTRIES = ("recorded_at", "written_at", "updated_at", "entered_at", "tagged_at")


def _same() -> Any:
    """Targets of the same metric, period, tier and category as that of the outer query."""
    alike = {name: OuterRef(name) for name in ("metric", "period", "tier")}
    rows = Target._base_manager.filter(removed_at=None, **alike).order_by()
    return rows.filter(
        Q(category=OuterRef("category")) | Q(IsNull(OuterRef("category"), True), category=None)
    )


def _later() -> Any:
    """Later versions of the target of the outer query."""
    return _same().filter(
        subject_type=OuterRef("subject_type"),
        subject_id=OuterRef("subject_id"),
        version__gt=OuterRef("version"),
    )


def _parts() -> Any:
    """The targets into which the one of the outer query is divided: one step down the teams."""
    teams = Team._base_manager.filter(parent_id=OuterRef(OuterRef("subject_id")), removed_at=None)
    people = Membership._base_manager.filter(
        Q(ends_on=None) | Q(ends_on__gte=OuterRef(OuterRef("starts_on"))),
        team_id=OuterRef(OuterRef("subject_id")),
        is_main=True,
        removed_at=None,
        starts_on__lte=OuterRef(OuterRef("ends_on")),
    )
    below = Q(subject_type="team", subject_id__in=teams.values("pk")) | Q(
        subject_type="person", subject_id__in=people.values("person")
    )
    return _same().filter(~Q(Exists(_later())), below)


def _has_parts() -> Q:
    return Q(subject_type="team") & Q(Exists(_parts()))


def _sum() -> Case:
    summed = _parts().values("metric").annotate(fy_sum=Sum("value")).values("fy_sum")
    return Case(
        When(subject_type="team", then=Subquery(summed)),
        output_field=DecimalField(max_digits=18, decimal_places=4),
    )


def _level() -> Case:
    """On which level of the company the target stands."""
    return Case(
        *(
            When(
                Q(subject_type="team")
                & Q(subject_id__in=Team._base_manager.filter(kind=code).values("pk")),
                then=Value(label),
            )
            for code, label in Team.Kind.choices
        ),
        default=Value(ALONE),
        output_field=TextField(),
    )


def _listed() -> Func:
    return Func(_level(), template="ARRAY[%(expressions)s]", output_field=ArrayField(TextField()))


facts.extend(
    Target,
    {
        "is_current": facts.Derived(
            "现行版本", kind="bool", value=lambda: is_true(~Q(Exists(_later())))
        ),
        "is_leaf": facts.Derived("未再分解", kind="bool", value=lambda: is_true(~_has_parts())),
        "parts_sum": facts.Derived("下级合计", kind="number", value=lambda: _sum()),
        "level_names": facts.Derived(
            "分解层级",
            kind="set",
            choices={str(label): str(label) for label in (*Team.Kind.labels, ALONE)},
            value=lambda: Case(
                When(_has_parts(), then=_listed()),
                default=Value([], output_field=ArrayField(TextField())),
            ),
        ),
        "adjusted_at": facts.Derived(
            "调整时间",
            kind="at",
            value=lambda: Case(When(version__gt=1, then=F("recorded_at"))),
        ),
    },
)
facts.extend(
    Person,
    {
        "individual_targets": facts.Rows(
            "个人目标", source="target", subject="subject", value="metric"
        )
    },
)
facts.extend(
    Obligation,
    {
        "is_entry_duty": facts.Derived(
            "录入义务",
            kind="bool",
            value=lambda: is_true(
                Q(rule__kind="REQUIRED") | Q(rule__params__until__in=list(ENTRIES))
            ),
        )
    },
)
dimensions.held_by(
    Target,
    person=lambda: Case(When(subject_type="person", then=F("subject_id"))),
    team=lambda: Case(When(subject_type="team", then=F("subject_id"))),
)
