"""What a replay found, counted from `engine_case`: states, flips, people, teams, tiers, weeks.

A breach and a late deed are both `missed`; a flip is a duty missed on one side only, or there only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from fangyuan.core import facts, records, spans
from fangyuan.engine import kinds
from fangyuan.engine.revision import drafts
from fangyuan.org.models import Membership, Person

MOST_CASES: Final = 2000
LEAST_HOURS: Final = 0.05  # a seat that answered faster says nothing about the work
FLIPS: Final = ("caught", "cleared", "added", "dropped")
STATES: Final = ("MET", "LATE", "BREACHED", "WAIVED", "OPEN")
MISSED: Final = ("LATE", "BREACHED")
# Facts of a customer by which the outcome is told apart.
TIERS: Final = ("ka_tier", "grade")
_MISSED: Final = "IN ('LATE', 'BREACHED')"
_CAUGHT: Final = f"becomes {_MISSED} AND coalesce(was, '') NOT {_MISSED}"
_CLEARED: Final = f"was {_MISSED} AND coalesce(becomes, '') NOT {_MISSED}"
_COUNTS: Final = f"""count(was), count(*) FILTER (WHERE was IN ('LATE', 'BREACHED')),
       count(becomes), count(*) FILTER (WHERE becomes IN ('LATE', 'BREACHED')),
       count(*) FILTER (WHERE {_CAUGHT}), count(*) FILTER (WHERE {_CLEARED})"""
_PAIRS: Final = "SELECT was, becomes, count(*) FROM engine_case GROUP BY 1, 2"
# A duty that another person answers for under the draft counts for each with their own side.
_PEOPLE: Final = f"""
SELECT person, {_COUNTS}
  FROM (SELECT was_person_id AS person, was, NULL AS becomes FROM engine_case
         WHERE was_person_id IS DISTINCT FROM person_id AND was IS NOT NULL AND becomes IS NOT NULL
        UNION ALL
        SELECT person_id, NULL, becomes FROM engine_case
         WHERE was_person_id IS DISTINCT FROM person_id AND was IS NOT NULL AND becomes IS NOT NULL
        UNION ALL
        SELECT coalesce(person_id, was_person_id), was, becomes FROM engine_case
         WHERE was_person_id IS NOT DISTINCT FROM person_id OR was IS NULL OR becomes IS NULL) x
 GROUP BY 1"""  # noqa: S608 - own words
_WEEKS: Final = f"""
SELECT date_trunc('week', began_at AT TIME ZONE '{spans.SHANGHAI}')::date, {_COUNTS}
  FROM engine_case GROUP BY 1 ORDER BY 1"""  # noqa: S608
_HOURS: Final = """
SELECT least(floor(extract(epoch FROM met_at - began_at) / 3600), %s)::int, count(*)
  FROM engine_case WHERE met_at IS NOT NULL AND met_at >= began_at GROUP BY 1 ORDER BY 1"""
_LISTED: Final = f"""
SELECT subject_id, occurrence, began_at, met_at, was, was_person_id, was_due_at, becomes, person_id,
       due_at
  FROM engine_case
 WHERE ({_CAUGHT}) OR ({_CLEARED}) OR (was IS NULL) <> (becomes IS NULL)
 ORDER BY ({_CAUGHT}) DESC, began_at DESC, subject_id, occurrence LIMIT {MOST_CASES}"""  # noqa: S608


@dataclass
class Found:
    """The outcome of one rule."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    flips: Counter[str] = field(default_factory=Counter)
    people: dict[int | None, list[int]] = field(default_factory=dict)
    tiers: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    weeks: dict[str, list[int]] = field(default_factory=dict)
    hours: list[int] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)  # facts judged as they stand today
    seats: dict[str, Any] = field(default_factory=dict)  # of requests for approval


def look(cursor: Any, trial: drafts.Trial) -> Found:
    """Count the cases of one rule that `cursor` can see."""
    cursor.execute("ANALYZE engine_case")
    found = Found()
    cursor.execute(_PAIRS)
    for was, becomes, number in cursor.fetchall():
        _add_pair(found, was, becomes, number)
    cursor.execute(_PEOPLE)
    found.people = {person: list(counts) for person, *counts in cursor.fetchall()}
    cursor.execute(_WEEKS)
    found.weeks = {week.isoformat(): list(counts) for week, *counts in cursor.fetchall()}
    found.tiers = _by_tier(cursor, trial.record)
    if most := _most_hours(trial):
        cursor.execute(_HOURS, [most])
        found.hours = [0] * (most + 1)
        for hour, number in cursor.fetchall():
            found.hours[hour] = number
    cursor.execute(_LISTED)
    names = [column.name for column in cursor.description]
    found.cases = [_case(trial, dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    return found


def _add_pair(found: Found, was: str | None, becomes: str | None, number: int) -> None:
    if was:
        found.before[was] += number
    if becomes:
        found.after[becomes] += number
    flips = {
        "caught": becomes in MISSED and was not in MISSED,
        "cleared": was in MISSED and becomes not in MISSED,
        "added": was is None,
        "dropped": becomes is None,
    }
    for name, is_so in flips.items():
        found.flips[name] += number if is_so else 0


def count(cursor: Any) -> tuple[Counter[str], int]:
    """Only the states the draft gives, and how many people miss something; for a curve."""
    cursor.execute("SELECT becomes, count(*) FROM engine_case WHERE becomes IS NOT NULL GROUP BY 1")
    states = Counter(dict(cursor.fetchall()))
    cursor.execute(
        "SELECT count(DISTINCT person_id) FROM engine_case WHERE becomes IN ('LATE', 'BREACHED')"
    )
    return states, cursor.fetchone()[0]


def _by_tier(cursor: Any, record: str) -> dict[str, dict[str, list[int]]]:
    """The counts by each fact of the customer concerned, as it stands now; in one look, for there
    may be a million cases."""
    customer = records.row_types().get("customer")
    column = _customer(record, customer)
    found: dict[str, dict[str, list[int]]] = {name: {} for name in TIERS}
    if customer is None or column is None:
        return found
    told = [name for name in TIERS if name in facts.of(customer)]
    values = ", ".join(f"c.{name}" for name in told)
    table = records.row_types()[record]._meta.db_table
    cursor.execute(
        f"SELECT grouping({values}), {values}, {_COUNTS} FROM engine_case x"  # noqa: S608 - own names
        f" LEFT JOIN {table} s ON s.id = x.subject_id"
        f" LEFT JOIN {customer._meta.db_table} c ON c.id = {column}"
        f" GROUP BY GROUPING SETS ({', '.join(f'({one})' for one in values.split(', '))})"
    )
    # The bits of what is not grouped by, the first name's the highest.
    every = 2 ** len(told) - 1
    places = {every - 2 ** (len(told) - 1 - place): place for place in range(len(told))}
    for bits, *row in cursor.fetchall():
        place = places[bits]
        found[told[place]][row[place] or ""] = list(row[len(told) :])
    return found


def _customer(record: str, customer: Any) -> str | None:
    """The column of a record type, as `s`, that names the customer concerned."""
    model = records.row_types()[record]
    if model is customer:
        return "s.id"
    for column in model._meta.concrete_fields:
        if column.is_relation and column.related_model is customer:
            return f's."{column.column}"'
    pointer = next(iter(getattr(model, "any_fields", {})), None)
    if pointer is None:
        return None
    return f'CASE WHEN s."{pointer}_type" = \'customer\' THEN s."{pointer}_id" END'


def _most_hours(trial: drafts.Trial) -> int:
    """How far the distribution of a span counted in hours is told; 0 for other rules."""
    hours = []
    for params in (trial.params_before, trial.rule.params if trial.rule else None):
        if within := (params or {}).get("within"):
            span = spans.parse(within)
            hours.append(int(span.exact.total_seconds() // 3600) if span.is_exact else 0)
    return min(max(hours) * 3 // 2, 168) if hours and all(hours) else 0


def _case(trial: drafts.Trial, row: dict[str, Any]) -> dict[str, Any]:
    said = {name: at.isoformat() if hasattr(at, "isoformat") else at for name, at in row.items()}
    return {
        "clause": trial.number,
        "line": trial.line,
        "family": trial.family,
        "record": trial.record,
        **{name: at for name, at in said.items() if name not in ("was", "becomes")},
        "before": row["was"],
        "after": row["becomes"],
    }


# --- as plain values


def tallied(states: Counter[str]) -> dict[str, Any]:
    """Counted states with their sums: all duties, those missed, the rate of those that fell due."""
    missed = sum(states[one] for one in MISSED)
    due = states["MET"] + missed
    return {
        "duties": sum(states[one] for one in STATES),
        "missed": missed,
        "rate": round(states["MET"] / due, 4) if due else None,
        **{one.lower(): states[one] for one in STATES},
    }


def clause(trial: drafts.Trial, one: Found) -> dict[str, Any]:
    """The outcome of one rule."""
    return {
        "clause": trial.number,
        "line": trial.line,
        "family": trial.family,
        "kind": trial.kind,
        "record": trial.record,
        "sentence_before": _sentence(trial, trial.params_before),
        "sentence_after": _sentence(trial, trial.rule.params if trial.rule else None),
        "before": tallied(one.before),
        "after": tallied(one.after),
        "flips": {name: one.flips[name] for name in FLIPS},
        "hours": one.hours,
        "loose": one.loose,
    }


def _sentence(trial: drafts.Trial, params: dict[str, Any] | None) -> str:
    if params is None:
        return ""
    return kinds.read(trial.kind, trial.record, params).sentence()


def groups(found: list[Found], weeks: float) -> dict[str, Any]:
    """The outcomes of all rules by person, team, tier and week, and what they cost a person."""
    people = _summed(one.people for one in found)
    who = Person.objects.everything("试算").filter(pk__in=[n for n in people if n])
    named = {p.pk: p for p in who.select_related("manager")}
    teams = _teams(list(named))
    rows = [
        {
            "person_id": number,
            "person": named[number].login if number in named else None,
            "name": named[number].name if number in named else "",
            "team": teams.get(number, (None, ""))[1],
            **_side(counts),
            "more_per_week": round((counts[2] - counts[0]) / weeks, 2),
        }
        for number, counts in people.items()
    ]
    rows.sort(key=lambda row: (-row["caught"], -row["missed_after"], row["person_id"] or 0))
    answering = sum(1 for row in rows if row["person_id"]) or 1
    more = sum(row["duties_after"] - row["duties_before"] for row in rows)
    return {
        "people": rows,
        "teams": _by_team(people, teams),
        **{name: _tiers(found, name) for name in TIERS},
        "weeks": [
            {"week": week, **_side(counts)}
            for week, counts in sorted(_summed(one.weeks for one in found).items())
        ],
        "workload": {
            "people": sum(1 for row in rows if row["person_id"]),
            "missing_before": sum(1 for row in rows if row["missed_before"]),
            "missing_after": sum(1 for row in rows if row["missed_after"]),
            "more_per_person_and_week": round(more / weeks / answering, 2),
        },
    }


def _summed(parts: Any) -> dict[Any, list[int]]:
    total: dict[Any, list[int]] = {}
    for part in parts:
        for key, counts in part.items():
            kept = total.setdefault(key, [0] * len(counts))
            total[key] = [a + b for a, b in zip(kept, counts, strict=True)]
    return total


def _side(counts: list[int]) -> dict[str, int]:
    names = (
        *("duties_before", "missed_before", "duties_after", "missed_after"),
        *("caught", "cleared"),
    )
    return dict(zip(names, counts, strict=True))


def _teams(people: list[int]) -> dict[int, tuple[int, str]]:
    """The main team of each person now."""
    rows = Membership._base_manager.filter(
        person__in=people, is_main=True, removed_at=None, ends_on=None
    )
    return {p: (t, name) for p, t, name in rows.values_list("person_id", "team_id", "team__name")}


def _by_team(people: dict[Any, list[int]], teams: dict[int, tuple[int, str]]) -> list[Any]:
    by_team = _summed({teams.get(number, (None, "")): counts} for number, counts in people.items())
    rows = [
        {"team_id": number, "team": name, **_side(counts)}
        for (number, name), counts in by_team.items()
    ]
    return sorted(rows, key=lambda row: (-row["caught"], -row["missed_after"], row["team"]))


def _tiers(found: list[Found], name: str) -> list[dict[str, Any]]:
    customer = records.row_types().get("customer")
    said = facts.find(customer, name).choices if customer and name in facts.of(customer) else {}
    summed = _summed(one.tiers.get(name, {}) for one in found)
    return [
        {"code": code, "label": said.get(code, ""), **_side(counts)}
        for code, counts in sorted(summed.items())
    ]


# --- seats of approvals


def seated(found: list[Found], weeks: float) -> dict[str, Any]:
    """The seats that requests take: by level, by approver, and the hours of them all."""
    levels = _summed(one.seats["levels"] for one in found)
    people = _summed(one.seats["people"] for one in found)
    known = [float(one.seats["hours"] or 0) for one in found]
    hours = next((one for one in known if one >= LEAST_HOURS), None)
    who = Person.objects.everything("试算").in_bulk(list(people))
    rows = [
        {
            "person_id": number,
            "name": who[number].name if number in who else "",
            "seats_before": round(before, 1),
            "seats_after": round(after, 1),
            "more_hours_per_week": _hours(after - before, hours, weeks),
        }
        for number, (before, after) in people.items()
    ]
    seats = [sum(counts[side] for counts in levels.values()) for side in (0, 1)]
    return {
        "levels": [
            {"label": label, "seats_before": before, "seats_after": after}
            for label, (before, after) in levels.items()
        ],
        "approvers": sorted(rows, key=lambda row: (-row["seats_after"], row["person_id"])),
        "seats": {
            "before": seats[0],
            "after": seats[1],
            "hours_per_seat": hours and round(hours, 1),
            "more_hours_per_week": _hours(seats[1] - seats[0], hours, weeks),
        },
    }


def _hours(seats: float, each: float | None, weeks: float) -> float | None:
    return None if each is None else round(seats * float(each) / weeks, 1)
