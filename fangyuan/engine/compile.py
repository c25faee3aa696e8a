"""From a rule to one statement: the holes of `sql/<kind>.sql` are filled with SQL made elsewhere.

The result yields, per duty: subject_id, occurrence, began_on, began_at, person_id, due_at, met_at,
left_at, is_guess, told_late, imported, turns_at. Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Min

from fangyuan.core import facts, spans, timelines, workdays
from fangyuan.engine import answers, measures, scope, streams
from fangyuan.engine.kinds import Alert, Cadence, Deadline, Required, base
from fangyuan.engine.scope import Subjects
from fangyuan.engine.terms import ZONE
from fangyuan.engine.terms import Carried as Carried
from fangyuan.engine.terms import Terms as Terms
from fangyuan.engine.terms import template as template


def facts_of(kind: base.Owed, terms: Terms) -> str:
    """The statement that yields every duty of a rule, as known by an instant."""
    return _MAKERS[type(kind)](kind, terms) + answers.answer(kind, terms)


def _subjects(kind: base.Owed, terms: Terms, **more: Any) -> Subjects:
    return Subjects(kind, terms.as_of, terms.pick, terms.adopted, **more)


def _deadline(kind: Deadline, terms: Terms) -> str:
    on = facts.stream(kind.on, kind.record)
    until = facts.stream(kind.until, kind.record)
    columns = {}
    if on is None:
        columns["on_at"] = scope.moment_of(kind.model, kind.on)
    if until is None:
        columns["until_at"] = scope.moment_of(kind.model, kind.until)
    if kind.by:
        columns["by_at"] = scope.moment_of(kind.model, kind.by)
    # What began before the rule held binds nobody; most records are left out at once.
    is_at = on is None and facts.find(kind.model, kind.on).kind == "at"
    bounds = {"on_at": (terms.floor, terms.as_of)} if is_at else {}
    subjects = _subjects(kind, terms, columns=columns, sees_all=kind.is_entry, bounds=bounds)
    met = _met(kind, until, on is not None, terms)
    due, guess, calendar = (
        _carried_due(kind.within, met, terms) if kind.within else ("b.by_at", "false", "")
    )
    return template("deadline").substitute(
        subjects=subjects.sql(),
        begun=_begun(kind, on, terms),
        met=met,
        due=due,
        guess=guess,
        calendar=calendar,
        now=terms.now,
        in_force=terms.in_force("b.began_at"),
        **_dated(kind, terms),
    )


def _dated(kind: Deadline | Required, terms: Terms) -> dict[str, str]:
    """Where the due time stands: as counted, or moved by the leave of whoever answers."""
    if kind.on_leave != "extend" or kind.within is None:
        plain = {"due_at": "due_at", "is_guess": "is_guess", "extended": "", "dated": "counted"}
        return plain
    extended = template("extended").substitute(answer=answers.answer(kind, terms), zone=ZONE)
    return {
        "due_at": "first_due_at",
        "is_guess": "first_guess",
        "extended": extended,
        "dated": "extended",
    }


def _begun(kind: Deadline, on: facts.Stream | None, terms: Terms) -> str:
    if on is None:
        return f"""  SELECT s.*, '{kind.on}' AS occurrence, s.on_at AS began_at
    FROM subject s WHERE s.on_at IS NOT NULL"""  # noqa: S608
    events = streams.of_stream(
        on, kind.record, as_of=terms.as_of, pick=terms.pick, floor=terms.floor
    )
    names = "own_id, held_type, held_id, scope, is_one, imported_at"
    kept = ", ".join(f"s.{name}" for name in names.split(", "))
    done = "" if facts.stream(kind.until, kind.record) else ", s.until_at"
    by = ", s.by_at" if kind.by else ""
    return f"""  SELECT s.subject_id, {kept}{done}{by},
         greatest(s.known_at, e.recorded_at) AS known_at,
         engine_said(e.at) AS occurrence, e.at AS began_at
    FROM subject s
    JOIN (SELECT subject_id, at, min(recorded_at) AS recorded_at
            FROM ({events}) x (subject_id, at, recorded_at) GROUP BY 1, 2) e USING (subject_id)"""  # noqa: S608


def _met(kind: Deadline, until: facts.Stream | None, by_stream: bool, terms: Terms) -> str:
    if until is None:
        # Where the trigger is an event, what meets it lies strictly later.
        return (
            "CASE WHEN b.until_at > b.began_at THEN b.until_at END" if by_stream else "b.until_at"
        )
    events = streams.of_stream(until, kind.record, as_of=terms.as_of)
    return f"""(SELECT min(e.at) FROM ({events}) e (subject_id, at, recorded_at)
             WHERE e.subject_id = b.subject_id AND e.at > b.began_at)"""  # noqa: S608


def _carried_due(within: str, met: str, terms: Terms) -> tuple[str, str, str]:
    """As `due_of`, from when a duty began; where it was open when newer versions took effect and
    was carried over, by their spans: from the effect on, or the milder of both."""
    due, guess, joins = due_of(within, "b.began_at")
    for place, carried in enumerate(terms.carried):
        if terms.as_of < carried.at:
            break
        at = f"{timelines.literal(carried.at)}::timestamptz"
        is_open = f"{due} > {at} AND coalesce({met} >= {at}, true)"
        if carried.how == "NEW":
            fresh = terms.calendar.due(carried.at, carried.within)
            later = f"{timelines.literal(fresh.at)}::timestamptz"
            later_guess = "true" if fresh.is_provisional else "false"
        else:
            other, other_guess, join = due_of(carried.within, "b.began_at", f"x{place}")
            joins += join and f" {join}"
            later, later_guess = f"greatest({due}, {other})", f"({guess} OR {other_guess})"
        joins += f"""
         CROSS JOIN LATERAL (SELECT CASE WHEN {is_open} THEN {later} ELSE {due} END AS due,
                CASE WHEN {is_open} THEN {later_guess} ELSE {guess} END AS is_guess) v{place}"""
        due, guess = f"v{place}.due", f"v{place}.is_guess"
    return due, guess, joins


def due_of(within: str, at: str, name: str = "w") -> tuple[str, str, str]:
    """The due time of a span from an instant, whether it is a guess, and the join it needs."""
    span = spans.parse(within)
    if span.is_exact:
        return f"({at} + interval '{int(span.exact.total_seconds())} seconds')", "false", ""
    day = f"({at} AT TIME ZONE '{ZONE}')::date"
    if span.unit is spans.Unit.DAY or span.amount == 0:
        return f"(({day} + {span.amount + 1})::timestamp AT TIME ZONE '{ZONE}')", "false", ""
    calendar = f"""JOIN core_workday {name}a ON {name}a."on" = {day}
         JOIN core_workday {name}b ON {name}b.is_working
          AND {name}b.nth = {name}a.nth + {span.amount}"""
    return (
        f"(({name}b.\"on\" + 1)::timestamp AT TIME ZONE '{ZONE}')",
        f"({name}b.unknown > {name}a.unknown)",
        calendar,
    )


_COMPLETED: Final = """(SELECT min(greatest(lower(q), b.began_at)) FROM unnest(b.complete) q
           WHERE upper_inf(q) OR upper(q) > b.began_at)"""


def _required(kind: Required, terms: Terms) -> str:
    subjects = _subjects(kind, terms, also={str(kind.since): {"not_empty": True}})
    due, guess, calendar = _carried_due(str(kind.within), _COMPLETED, terms)
    version = f"{timelines.literal(terms.starts_at)}::timestamptz"
    return template("required").substitute(
        subjects=subjects.sql({"complete": kind.wanted}),
        completed=_COMPLETED,
        version_at=version,
        due=due,
        guess=guess,
        calendar=calendar,
        now=terms.now,
        in_force=terms.in_force("b.began_at"),
        **_dated(kind, terms),
    )


def periods(kind: Cadence, terms: Terms, earliest: datetime) -> list[tuple[spans.Period, Any]]:
    """The periods that begin under this version and have begun by now, each with its due time.

    A duty that is due before its period begins is shown from the start of the period before.
    """
    until = terms.as_of
    ahead = kind.due_rule.anchor is spans.Anchor.BEFORE
    if ahead:
        until = spans.period_at(kind.per, until).end
    since = max(terms.floor, earliest)
    last = until + timedelta(microseconds=1)
    found = []
    for period in terms.calendar.periods(kind.per, since, last, worked_only=kind.only_worked):
        if period.start < terms.starts_at or (terms.ends_at and period.start >= terms.ends_at):
            continue
        if terms.pick.since is not None:
            shown = period.previous().start if ahead else period.start
            if shown <= terms.pick.since:
                continue
        due = terms.calendar.cadence_due(period, kind.due_rule)
        guess = due.is_provisional or (
            kind.only_worked and not terms.calendar.is_published(period.first)
        )
        found.append((period, workdays.Due(due.at, guess)))
    return found


def _cadence(kind: Cadence, terms: Terms) -> str:
    found = periods(kind, terms, _earliest(kind, terms))
    floor = found[0][0].start if found else terms.as_of
    column = timelines.literal
    needs_all = kind.first_period == "prorated"
    nth = "min(e.at)" if kind.at_least == 1 else f"(array_agg(e.at ORDER BY e.at))[{kind.at_least}]"
    return template("cadence").substitute(
        subjects=_subjects(kind, terms).sql(),
        firsts=f"{column([p.first for p, _ in found])}::date[]",
        starts=f"{column([p.start for p, _ in found])}::timestamptz[]",
        ends=f"{column([p.end for p, _ in found])}::timestamptz[]",
        dues=f"{column([d.at for _, d in found])}::timestamptz[]",
        guesses=f"{column([d.is_provisional for _, d in found])}::boolean[]",
        events=streams.counted(kind, as_of=terms.as_of, pick=terms.pick, floor=floor),
        key="occurrence" if kind.counts_by == "period" else "first",
        nth="array_agg(e.at ORDER BY e.at)" if needs_all else nth,
        per=kind.per.value,
        binds=_binds(kind, terms),
        entered=_entered(kind, terms),
        decided=_share(kind) if needs_all else "e.at",
        now=terms.now,
    )


def _earliest(kind: Cadence, terms: Terms) -> datetime:
    """No period before the first record can bind any; few periods keep the join small."""
    begins, subjects = kind.model.begins, terms.pick.subjects

    def ask() -> Any:
        rows = kind.model._base_manager.order_by()
        rows = rows if subjects is None else rows.filter(pk__any_of=subjects)
        return rows.aggregate(first=Min(begins))["first"]

    first = terms.asked.once(("earliest", kind.record, subjects), ask)
    if first is None:
        return terms.as_of
    return first if isinstance(first, datetime) else spans.midnight(first)


def _binds(kind: Cadence, terms: Terms) -> str:
    if kind.first_period != "next":
        return "s.scope && tstzmultirange(tstzrange(p.starts_at, p.ends_at))"
    if kind.due_rule.anchor is spans.Anchor.BEFORE:
        return f"""(s.scope @> least(p.starts_at, {terms.now})
         OR (p.due_at <= {terms.now} AND s.scope @> p.due_at))"""
    # The bounds as plain instants: cheaper than the spans, and the planner can estimate them.
    return """p.starts_at >= s.opens_at AND p.starts_at < s.closes_at
                      AND (s.is_one OR s.scope @> p.starts_at)"""


def _entered(kind: Cadence, terms: Terms) -> str:
    if kind.first_period == "next":
        return "p.starts_at"
    return f"""CASE WHEN s.scope @> p.starts_at THEN p.starts_at
              ELSE (SELECT min(lower(r)) FROM unnest(s.scope) r
                     WHERE lower(r) > p.starts_at AND lower(r) <= {terms.now}
                       AND lower(r) < least(p.ends_at, p.due_at)) END"""  # noqa: S608 - quoted literals


def _share(kind: Cadence) -> str:
    """Of a period entered midway as many events are owed as are left of it, rounded up."""
    rest = "floor(extract(epoch FROM b.ends_at - b.entered_at))"
    whole = "extract(epoch FROM b.ends_at - b.starts_at)"
    return f"e.at[ceil({kind.at_least} * {rest} / {whole})::integer]"


def _alert(kind: Alert, terms: Terms) -> str:
    return template("alert").substitute(lit=terms.lit or lit_of(kind, terms), now=terms.now)


def lit_of(kind: Alert, terms: Terms) -> str:
    """The spans in which an alert's condition is true, each by its fixed instants."""
    grid = measures.Grid(kind.grid)
    measuring = measures.Measuring(terms.as_of, grid)
    ends = f"{timelines.literal(terms.ends_at)}::timestamptz" if terms.ends_at else "NULL"
    starts = f"{timelines.literal(terms.starts_at)}::timestamptz"
    in_force = f"{terms.adopted} * tstzmultirange(tstzrange({starts}, {ends}))"
    subjects = Subjects(
        kind,
        terms.as_of,
        terms.pick,
        in_force,
        also={"any": [kind.when]},
        rows=measuring.rows,
    )
    clears, _, _ = due_of(kind.clear_after, "l.quiet_at")
    return template("lit").substitute(
        subjects=subjects.sql(),
        first=grid.ceil("lower(r)"),
        quiet=grid.ceil("upper(r)"),
        clears=clears,
    )


_MAKERS: Final[dict[Any, Callable[[Any, Terms], str]]] = {
    Deadline: _deadline,
    Cadence: _cadence,
    Required: _required,
    Alert: _alert,
}
