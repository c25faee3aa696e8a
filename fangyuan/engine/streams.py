"""Events as rows (subject_id, at, recorded_at): what happened to which record, as known by T."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import BooleanField, F, Func, Q

from fangyuan.core import facts, records, timelines, words
from fangyuan.engine import scope
from fangyuan.engine.kinds.cadence import Cadence


def known(
    source: Any, at: str, when: dict[str, Any], *, as_of: datetime, floor: datetime | None = None
) -> Any:
    """Rows of a source type that fit, were entered by then and are not in the recycle bin."""
    moment = scope.value_of(source, at)
    rows = facts.annotate(source._base_manager.order_by(), words.names(when))
    rows = rows.filter(words.where(source, when)).annotate(fy_at=moment)
    rows = rows.filter(Q(removed_at=None) | Q(removed_at__gt=as_of))
    rows = rows.filter(recorded_at__lte=as_of, fy_at__lte=as_of)
    return rows.filter(fy_at__gte=floor) if floor else rows


class InScope(Func):
    """Whether a number is one of the statement's `subject` rows: of many in one join, of few one
    by one through the index of the numbers asked."""

    output_field = BooleanField()
    template = "%(expressions)s IN (SELECT s.subject_id FROM subject s)"
    near = "%(expressions)s = ANY (ARRAY(SELECT s.subject_id FROM subject s))"


def linked(rows: Any, link: str, record: str) -> Any:
    """The rows with the number of the record they belong to as `fy_subject`."""
    source = rows.model
    if not link:
        column: Any = F("pk")
    elif link in getattr(source, "any_fields", {}):
        rows, column = rows.filter(**{f"{link}_type": record}), F(f"{link}_id")
    else:
        column = scope.value_of(source, link)
    return rows.annotate(fy_subject=column).filter(fy_subject__isnull=False)


def in_scope(rows: Any, pick: scope.Pick) -> Any:
    """Of linked rows those of the subjects of the statement into which they go."""
    how = InScope.template if pick.subjects is None else InScope.near
    return rows.filter(InScope(F("fy_subject"), template=how))


def of_stream(
    stream: facts.Stream,
    record: str,
    *,
    as_of: datetime,
    pick: scope.Pick | None = None,
    floor: datetime | None = None,
) -> str:
    """The events of a stream that happened to records of a type, or to those in scope."""
    source = records.row_types()[stream.source]
    if stream.source == "holding":
        held: Any = source._base_manager
        rows = held.order_by().filter(words.where(source, stream.when))
        rows = rows.filter(removed_at=None, starts_at__lte=as_of).annotate(fy_at=F("starts_at"))
        rows = linked(rows, stream.subject, record)
        rows = rows if pick is None else in_scope(rows, pick)
        return timelines.text_of(rows.values_list("fy_subject", "fy_at", "starts_at"))
    rows = known(source, stream.at, stream.when, as_of=as_of, floor=floor)
    rows = linked(rows, stream.subject, record)
    rows = rows if pick is None else in_scope(rows, pick)
    return timelines.text_of(rows.values_list("fy_subject", "fy_at", "recorded_at"))


def counted(kind: Cadence, *, as_of: datetime, pick: scope.Pick, floor: datetime | None) -> str:
    """The events that a cadence counts: rows (subject_id, period, at); the period as its
    occurrence where that is what is counted by, else as its first day."""
    by_period = kind.counts_by == "period"
    rows = known(kind.source, kind.at, kind.when, as_of=as_of, floor=None if by_period else floor)
    columns = ["fy_at", "period"] if by_period else ["fy_at"]
    if kind.via == "company":
        found = timelines.text_of(rows.values_list(*columns))
        everyone = kind.model._base_manager.order_by().filter(words.where(kind.model, {}))
        subjects = timelines.text_of(everyone.values_list("pk"))
        source = f"SELECT s.id AS subject_id, r.* FROM ({subjects}) s (id) CROSS JOIN ({found}) r"  # noqa: S608
    else:
        rows = in_scope(linked(rows, kind.via, kind.record), pick)
        source = timelines.text_of(rows.values_list("fy_subject", *columns))
    names = "subject_id, at, period" if by_period else "subject_id, at"
    key = _PERIOD if by_period else first_day(kind.per, "e.at")
    return f"SELECT e.subject_id, {key} AS key, e.at FROM ({source}) e ({names})"  # noqa: S608


# A monthly report may name its month briefly.
_PERIOD = (
    r"""CASE WHEN e.period ~ '^\d{4}-\d{2}$' THEN 'month:' || e.period || '-01' ELSE e.period END"""
)


def first_day(per: str, at: str) -> str:
    """The first day of the period to which an instant belongs, as SQL."""
    local = f"({at} AT TIME ZONE '{timelines.ZONE}')"
    if per == "day":
        return f"{local}::date"
    if per == "biweek":
        days = f"({local}::date - date '2024-01-01')"
        return f"(date '2024-01-01' + 14 * floor({days} / 14.0)::integer)"
    if per == "half-year":
        month = f"CASE WHEN extract(month FROM {local}) <= 6 THEN 1 ELSE 7 END"
        return f"make_date(extract(year FROM {local})::integer, {month}, 1)"
    return f"date_trunc('{per}', {local})::date"
