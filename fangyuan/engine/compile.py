"""From a rule to one statement: the holes of `sql/<kind>.sql` are filled with SQL made elsewhere.

The result yields, per duty: subject_id, occurrence, began_on, began_at, person_id, due_at, met_at,
left_at, is_guess, told_late, imported, turns_at. Nothing here runs anything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any, Final

from fangyuan.core import facts, spans, timelines, workdays
from fangyuan.engine import measures, scope, streams
from fangyuan.engine.kinds import Alert, Cadence, Deadline, Required, base
from fangyuan.engine.scope import Pick, Subjects
from fangyuan.org.models import Holding

FOLDER: Final = Path(__file__).with_name("sql")
ZONE: Final = timelines.ZONE


@dataclass(frozen=True)
class Carried:
    """What becomes of duties that are open when a new version takes effect: its span, and how."""

    at: datetime
    how: str
    within: str


@dataclass(frozen=True)
class Terms:
    """What a statement needs besides the rule's own parameters."""

    as_of: datetime
    calendar: workdays.WorkCalendar
    starts_at: datetime
    ends_at: datetime | None = None
    adopted: str = timelines.EVER
    pick: Pick = field(default_factory=Pick)
    # Codes of the teams by whose leader a named department answers.
    teams: dict[str, int | None] = field(default_factory=dict)
    carried: tuple[Carried, ...] = ()
    # Where the spans of an alert were laid down already.
    lit: str = ""

    @property
    def now(self) -> str:
        """The instant of the statement as a literal."""
        return f"{timelines.literal(self.as_of)}::timestamptz"

    def in_force(self, at: str) -> str:
        """Whether this version is in force at an instant."""
        sql = f"{at} >= {timelines.literal(self.starts_at)}::timestamptz"
        if self.ends_at is not None:
            sql += f" AND {at} < {timelines.literal(self.ends_at)}::timestamptz"
        return sql


@functools.cache
def template(name: str) -> Template:
    """One of the statements beside this module."""
    return Template((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def facts_of(kind: base.Owed, terms: Terms) -> str:
    """The statement that yields every duty of a rule, as known by an instant."""
    return _MAKERS[type(kind)](kind, terms) + _answer(kind, terms)


def _subjects(kind: base.Owed, terms: Terms, **more: Any) -> Subjects:
    return Subjects(kind, terms.as_of, terms.pick, terms.adopted, **more)


def _deadline(kind: Deadline, terms: Terms) -> str:
    on = facts.stream(kind.on, kind.record)
    until = facts.stream(kind.until, kind.record)
    columns = {}
    if on is None:
        columns["on_at"] = scope.value_of(kind.model, kind.on)
    if until is None:
        columns["until_at"] = scope.value_of(kind.model, kind.until)
    if kind.by:
        columns["by_at"] = scope.value_of(kind.model, kind.by)
    subjects = _subjects(kind, terms, columns=columns, sees_all=kind.is_entry)
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
    extended = template("extended").substitute(answer=_answer(kind, terms), zone=ZONE)
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
    events = streams.of_stream(on, kind.record, as_of=terms.as_of, pick=terms.pick)
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
    complete = " * ".join(subjects.spans_of(kind.wanted, outer=True))
    due, guess, calendar = _carried_due(str(kind.within), _COMPLETED, terms)
    version = f"{timelines.literal(terms.starts_at)}::timestamptz"
    return template("required").substitute(
        subjects=subjects.sql({"complete": complete}),
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
    since = max(terms.starts_at, earliest)
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
        nth="array_agg(e.at ORDER BY e.at)" if needs_all else nth,
        per=kind.per.value,
        binds=_binds(kind, terms),
        entered=_entered(kind, terms),
        decided=_share(kind) if needs_all else "e.at",
        now=terms.now,
    )


def _earliest(kind: Cadence, terms: Terms) -> datetime:
    """No period before the first record can bind any; few periods keep the join small."""
    rows = kind.model._base_manager.order_by()
    if terms.pick.subjects is not None:
        rows = rows.filter(pk__any_of=terms.pick.subjects)
    first = rows.order_by(kind.model.begins).values_list(kind.model.begins, flat=True).first()
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
    measuring = measures.Measuring(terms.as_of, terms.pick, grid)
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


# --- who answers


def _answer(kind: base.Owed, terms: Terms) -> str:
    who = kind.who
    own = _is_own(kind)
    holes = {
        "holder": "j.own_id",
        "holding_since": "NULL::timestamptz",
        "role": "'OWNER'",
        "holders": "",
        "is_enough": "true",
        "turns_at": "NULL::timestamptz",
        "halves": "",
        "owing": "h.holder_id",
    }
    if who in terms.teams:
        leader = terms.teams[who]
        holes["holder"] = f"{leader}::bigint" if leader else "NULL::bigint"
    elif not own:
        near = terms.pick.subjects is not None
        holes.update(_holders(base.HELD_ROLES.get(who), near=near))
        if kind.model.owned_by and not isinstance(kind, Cadence):
            _prefer_own(holes, kind, base.HELD_ROLES.get(who))
        holes["owing"] = _LEADER
        if isinstance(kind, Cadence) and not _is_position(kind, terms):
            holes.update(_half(terms))
    if _is_position(kind, terms):
        position = timelines.literal(f"position:{who}")
        holes["owing"] = f"engine_superior({holes['owing']}, {position}, h.answers_at)"
    passes = kind.on_leave == "delegate" and (who != "owner" or kind.model.passes_on)
    return template("answer").substitute(
        holes, zone=ZONE, now=terms.now, passes_on="true" if passes else "false"
    )


# Only where nobody holds it now but somebody did.
_LEADER: Final = """CASE WHEN h.holder_id IS NULL AND EXISTS (
           SELECT FROM org_holding x WHERE x.subject_type = h.held_type AND x.subject_id = h.held_id
              AND x.role = 'OWNER' AND x.removed_at IS NULL AND x.ends_at < h.answers_at)
         THEN engine_last_leader(h.held_type, h.held_id, h.answers_at) ELSE h.holder_id END"""


def _is_own(kind: base.Owed) -> bool:
    """Whether the record names the person itself."""
    model, who = kind.model, kind.who
    if who in ("self", "recorded_by") or base.person_field(model, who) is not None:
        return True
    return model.owned_by == "id" or base.person_field(model, model.owned_by) is not None


def _is_position(kind: base.Owed, terms: Terms) -> bool:
    who = kind.who
    plain = who in ("owner", "self", "recorded_by") or who in base.HELD_ROLES
    return not (plain or who in terms.teams or base.person_field(kind.model, who) is not None)


def _holders(role: str | None, *, near: bool) -> dict[str, str]:
    joins = _held("h", "b", "OWNER", near=near)
    if role is None:
        return {
            "holders": joins,
            "holder": "coalesce(h.person_id, b.person_id)",
            "holding_since": "coalesce(h.starts_at, b.starts_at)",
        }
    special = "coalesce(r.person_id, rb.person_id)"
    return {
        "holders": _held("r", "rb", role, near=near) + joins,
        "holder": f"coalesce({special}, h.person_id, b.person_id)",
        "holding_since": "coalesce(r.starts_at, rb.starts_at, h.starts_at, b.starts_at)",
        "role": f"CASE WHEN {special} IS NULL THEN 'OWNER' ELSE '{role}' END",
    }


def _held(before: str, at: str, role: str, *, near: bool) -> str:
    """Joins to who held just before the instant, and who begins at it where nobody did.

    Few subjects are looked up one by one; for all of them the tables are joined whole.
    """

    def same(name: str) -> str:
        return (
            f"{name}.subject_type = j.held_type AND {name}.subject_id = j.held_id"
            f" AND {name}.role = '{role}' AND {name}.removed_at IS NULL"
        )

    def joined(name: str, on: str) -> str:
        if near:
            # Only what the index holds.
            kept = f"{name}.person_id, {name}.starts_at"
            rows = f"SELECT {kept} FROM org_holding {name} WHERE {same(name)} AND {on}"  # noqa: S608
            return f"LEFT JOIN LATERAL ({rows} LIMIT 1) {name} ON true"
        return f"LEFT JOIN org_holding {name} ON {same(name)} AND {on}"

    holds = f"({before}.ends_at IS NULL OR {before}.ends_at >= j.answers_at)"
    first = joined(before, f"{before}.starts_at < j.answers_at AND {holds}")
    second = joined(at, f"{before}.person_id IS NULL AND {at}.starts_at = j.answers_at")
    return f"{first}\n         {second}\n         "


def _prefer_own(holes: dict[str, str], kind: base.Owed, role: str | None) -> None:
    """A record that belongs to another one may itself be held: then its own holder answers."""
    record = kind.record
    if not Holding._base_manager.filter(subject_type=record, removed_at=None).exists():
        return
    for name in ("OWNER", *([role] if role else [])):
        own = f"own_{name.lower()}"
        holes["holders"] += f"""LEFT JOIN LATERAL (
           SELECT x.person_id FROM org_holding x
            WHERE x.subject_type = '{record}' AND x.subject_id = j.subject_id
              AND x.role = '{name}' AND x.removed_at IS NULL AND x.starts_at <= j.answers_at
              AND (x.ends_at IS NULL OR x.ends_at >= j.answers_at)
            ORDER BY x.starts_at LIMIT 1) {own} ON true
         """  # noqa: S608 - declared names
    owner = "own_owner.person_id, coalesce(h.person_id, b.person_id)"
    special = f"own_{role.lower()}.person_id, r.person_id, rb.person_id, " if role else ""
    holes["holder"] = f"coalesce({special}{owner})"


def _half(terms: Terms) -> dict[str, str]:
    return {
        "is_enough": "coalesce(f.is_enough, true)",
        "turns_at": "f.turns_at",
        # OFFSET 0 keeps the function from being called for rows that need no answer.
        "halves": f"""LEFT JOIN LATERAL (
           SELECT x.* FROM engine_half(h.held_type, h.held_id, h.role, h.holder_id,
                                       h.starts_at, h.ends_at, {terms.now}) x
            WHERE h.holding_since > h.starts_at OFFSET 0) f ON true""",  # noqa: S608
    }


_MAKERS: Final[dict[Any, Callable[[Any, Terms], str]]] = {
    Deadline: _deadline,
    Cadence: _cadence,
    Required: _required,
    Alert: _alert,
}
