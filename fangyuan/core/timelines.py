"""When a condition on a fact was true: SQL of rows (subject_id, span), one or more per record.

Only facts with a known past can be asked (`Fact.is_temporal`). A record without a row never fitted.
`near` is an SQL expression: then only that one record is looked at (for LATERAL joins).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from fangyuan.core import facts, spans, words

ZONE: Final = str(spans.SHANGHAI)
EVER: Final = "'{(,)}'::tstzmultirange"
NEVER: Final = "'{}'::tstzmultirange"


@dataclass(frozen=True)
class Atom:
    """One word about one fact: true for the rows' spans, or for all but these if `negated`."""

    fact: Any
    word: str
    operand: Any
    negated: bool


def atoms(fact: Any, wanted: Any) -> list[Atom]:
    """One fact's condition as atoms that must all hold."""
    found = []
    for word, positive, operand in words.split(wanted):
        if word == "empty":
            found.append(Atom(fact, "given", True, operand == positive))
        elif word == "has":
            codes = operand if isinstance(operand, list) else [operand]
            parts = [Atom(fact, "is", code, False) for code in codes]
            found += parts if positive else [Atom(fact, "has", codes, True)]
        elif operand is False and word == "is" and not isinstance(fact, facts.Plain):
            found.append(Atom(fact, "is", True, positive))
        else:
            found.append(Atom(fact, word, operand, not positive))
    return found


def literal(value: Any) -> str:
    """A value as an SQL literal, safely quoted."""
    with connection.cursor() as cursor:
        return str(cursor.mogrify("%s", [value]))


def text_of(rows: Any) -> str:
    """A queryset as complete SQL text."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        return str(cursor.mogrify(sql, params))


def rows(atom: Atom, near: str | None = None) -> str:
    """The SQL of the rows in which the atom (before negation) is true."""
    return _MAKERS[type(atom.fact)](atom.fact, atom, near)


def instant(column: str, *, by_day: bool = False, days: int = 0) -> str:
    """A column as an instant; a day begins at 00:00 in the company's zone."""
    if not by_day:
        return column
    moved = f"({column} + ({days}))" if days else column
    return f"({moved}::timestamp AT TIME ZONE '{ZONE}')"


def begins(model: Any, alias: str) -> str:
    """The instant from which a record exists for the rules."""
    column = model._meta.get_field(model.begins)
    by_day = column.get_internal_type() == "DateField"
    return instant(f'{alias}."{column.column}"', by_day=by_day)


def _matches(column: str, near: str | None) -> str:
    return f" AND {column} = {near}" if near else ""


def _span(starts: str, ends: str) -> str:
    # A span told backwards is empty, not an error.
    ending = f"CASE WHEN {ends} < {starts} THEN {starts} ELSE {ends} END"
    return f"tstzmultirange(tstzrange({starts}, {ending}))"


def _test(fact: Any, atom: Atom) -> Callable[[str], str]:
    """The atom as a test on a value kept as text."""

    def code(one: Any) -> str:
        if isinstance(one, bool):
            return "'true'" if one else "'false'"
        return literal(str(facts.qualified(fact, one)))

    if atom.word == "given":
        return lambda column: f"coalesce({column}, '') NOT IN ('', '[]')"
    if fact.kind == "set":
        wanted = atom.operand if isinstance(atom.operand, list) else [atom.operand]
        return lambda column: (
            f"nullif({column}, '')::jsonb ?& {literal([str(one) for one in wanted])}"
        )
    if atom.word == "in":
        return lambda column: f"{column} IN ({', '.join(code(one) for one in atom.operand)})"
    if atom.word in words.ORDERED:
        sign = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<"}[atom.word]
        return lambda column: f"nullif({column}, '')::numeric {sign} {literal(atom.operand)}"
    return lambda column: f"{column} = {code(atom.operand)}"


def kept(model: Any, name: str, near: str | None) -> str:
    """The kept past values of a fact with the end of each, whichever way it is known."""
    return f"""(SELECT subject_id, value, starts_at,
              least(ends_at, lead(starts_at) OVER (PARTITION BY subject_id ORDER BY starts_at))
              AS ends_at
         FROM core_tracked
        WHERE subject_type = '{model.record_name()}' AND fact = '{name}' AND removed_at IS NULL
              {_matches("subject_id", near)})"""  # noqa: S608 - names come from declarations


def _unkept(model: Any, name: str, subject: str) -> str:
    return f"""NOT EXISTS (SELECT FROM core_tracked t
                WHERE t.subject_type = '{model.record_name()}' AND t.subject_id = {subject}
                  AND t.fact = '{name}' AND t.removed_at IS NULL)"""  # noqa: S608


def _told_or(fact: Any, atom: Atom, near: str | None, derived: str) -> str:
    """Past values told for the derived fact itself are its whole history; else it is derived."""
    test = _test(fact, atom)
    unkept = _unkept(fact.model, fact.name, "d.subject_id")
    return f"""SELECT k.subject_id, {_span("k.starts_at", "k.ends_at")} AS span
      FROM {kept(fact.model, fact.name, near)} k WHERE {test("k.value")}
    UNION ALL
    SELECT d.subject_id, d.span FROM ({derived}) d WHERE {unkept}"""  # noqa: S608


def _plain(fact: Any, atom: Atom, near: str | None) -> str:
    model, column = fact.model, fact.model._meta.get_field(fact.column)
    table, where = model._meta.db_table, _matches("c.id", near)
    if not fact.is_tracked:
        at = instant(f'c."{column.column}"', by_day=fact.kind == "date")
        return f"""SELECT c.id AS subject_id, {_span(at, "NULL")} AS span
          FROM "{table}" c WHERE c."{column.column}" IS NOT NULL{where}"""  # noqa: S608
    test = _test(fact, atom)
    now = f'to_jsonb(c."{column.column}")' if fact.kind == "set" else f'c."{column.column}"'
    present = test(f"{now}::text")
    return f"""SELECT k.subject_id, {_span("k.starts_at", "k.ends_at")} AS span
      FROM {kept(model, fact.name, near)} k WHERE {test("k.value")}
    UNION ALL
    SELECT c.id, {_span(begins(model, "c"), "NULL")} FROM "{table}" c
     WHERE {present}{where} AND {_unkept(model, fact.name, "c.id")}"""  # noqa: S608


def _reached(fact: Any, name: str, near: str | None) -> str:
    """Since when an instant of the record has been reached, by its tracked values if it has any."""
    model = fact.model
    table, where = model._meta.db_table, _matches("c.id", near)
    present = f"""SELECT c.id AS subject_id, {_span(f'c."{name}"', "NULL")} AS span
      FROM "{table}" c WHERE c."{name}" IS NOT NULL{where}"""  # noqa: S608
    if name not in model.tracked:
        return present
    starts = "greatest(k.starts_at, k.value::timestamptz)"
    return f"""{present} AND {_unkept(model, name, "c.id")}
    UNION ALL SELECT k.subject_id, {_span(starts, "k.ends_at")} AS span
      FROM {kept(model, name, near)} k WHERE k.value <> ''"""  # noqa: S608


def _phases(fact: Any, atom: Atom, near: str | None) -> str:
    if atom.word == "given":
        return f'SELECT c.id AS subject_id, {EVER} AS span FROM "{fact.model._meta.db_table}" c'  # noqa: S608
    codes = atom.operand if atom.word == "in" else [atom.operand]
    order = [code for code, _ in fact.begun_by]
    parts = []
    for code in codes:
        if code == fact.first:
            own = f"""SELECT c.id AS subject_id, {EVER} AS span
              FROM "{fact.model._meta.db_table}" c WHERE true{_matches("c.id", near)}"""  # noqa: S608
            later = fact.begun_by
        else:
            own = _reached(fact, dict(fact.begun_by)[code], near)
            later = fact.begun_by[order.index(code) + 1 :]
        parts.append(_without(own, [_reached(fact, at, "o.subject_id") for _, at in later]))
    return _told_or(fact, atom, near, " UNION ALL ".join(parts))


def _without(own: str, later: list[str]) -> str:
    if not later:
        return own
    taken = " UNION ALL ".join(later)
    return f"""SELECT o.subject_id, o.span - coalesce(
        (SELECT range_agg(l.span) FROM ({taken}) l), {NEVER}) AS span FROM ({own}) o"""  # noqa: S608


def _until(fact: Any, atom: Atom, near: str | None) -> str:
    model, name = fact.model, fact.until
    begun = begins(model, "c")
    derived = f"""SELECT k.subject_id,
             {_span("k.starts_at", "least(k.ends_at, k.value::timestamptz)")} AS span
        FROM {kept(model, name, near)} k WHERE k.value <> ''
      UNION ALL
      SELECT c.id, {_span(begun, f'c."{name}"')} FROM "{model._meta.db_table}" c
       WHERE c."{name}" IS NOT NULL{_matches("c.id", near)} AND {_unkept(model, name, "c.id")}"""  # noqa: S608
    return _told_or(fact, atom, near, derived)


def _days_to(fact: Any, atom: Atom, near: str | None) -> str:
    """Days to a day are counted at its midnight: n of them are left from n days before."""
    count, day = atom.operand, f'c."{fact.day}"'
    most, least = {
        "at_most": (count, None),
        "below": (count - 1, None),
        "at_least": (None, count),
        "above": (None, count + 1),
        "is": (count, count),
    }.get(atom.word, (None, None))

    def midnight(before: int | None) -> str:
        return "NULL" if before is None else instant(day, by_day=True, days=-before)

    span = _span(midnight(most), midnight(None if least is None else least - 1))
    return f"""SELECT c.id AS subject_id, {span} AS span FROM "{fact.model._meta.db_table}" c
     WHERE {day} IS NOT NULL{_matches("c.id", near)}"""  # noqa: S608 - declared names, a number


def _among(fact: Any, atom: Atom, near: str | None) -> str:
    of = facts.find(fact.model, fact.of)
    return rows(Atom(of, "in", list(fact.values), False), near)


def _since(fact: Any, atom: Atom, near: str | None) -> str:
    return rows(Atom(facts.find(fact.model, fact.of), "is", True, False), near)


def _via(fact: Any, atom: Atom, near: str | None) -> str:
    of = facts.find(fact.target, fact.of)
    return rows(Atom(of, atom.word, atom.operand, False), near)


def _held(fact: Any, codes: list[str] | None, near: str | None) -> str:
    starts, ends = fact.ends
    by_day = starts == "starts_on"
    found = fact.rows._base_manager.filter(removed_at=None).order_by()
    if fact.by_pointer:
        found = found.filter(**{f"{fact.subject}_type": fact.model.record_name()})
    if codes is not None:
        found = found.filter(**{f"{fact.value}__in": [facts.qualified(fact, c) for c in codes]})
    source = text_of(found.values_list(f"{fact.subject}_id", starts, ends))
    span = _span(
        instant("m.starts", by_day=by_day), instant("m.ends", by_day=by_day, days=int(by_day))
    )
    return f"""SELECT m.subject_id, {span} AS span
      FROM ({source}) m (subject_id, starts, ends) WHERE true{_matches("m.subject_id", near)}"""  # noqa: S608


def _rows(fact: Any, atom: Atom, near: str | None) -> str:
    if atom.word == "given":
        return _held(fact, None, near)
    if atom.word == "has":
        every = [
            f"SELECT range_agg(h.span) FROM ({_held(fact, [code], 'o.subject_id')}) h"  # noqa: S608
            for code in atom.operand
        ]
        both = " * ".join(f"coalesce(({one}), {NEVER})" for one in every)
        return f"SELECT o.subject_id, {both} AS span FROM ({_held(fact, None, near)}) o"  # noqa: S608
    codes = atom.operand if atom.word == "in" else [atom.operand]
    return _held(fact, codes, near)


def _holds_any(fact: Any, atom: Atom, near: str | None) -> str:
    of = facts.find(fact.model, fact.of)
    return _held(of, list(fact.values), near)


_MAKERS: Final[dict[Any, Callable[[Any, Atom, str | None], str]]] = {
    facts.Plain: _plain,
    facts.Phases: _phases,
    facts.Until: _until,
    facts.DaysTo: _days_to,
    facts.Among: _among,
    facts.Since: _since,
    facts.Via: _via,
    facts.Rows: _rows,
    facts.HoldsAny: _holds_any,
}
