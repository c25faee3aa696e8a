"""What was done in a past that a gate, a check on saving or an approval would have looked at.

A pass is one step taken, or one save, told by the event log; history that was brought in is told by
the instants it came with. The record is judged as it stood then: its own columns as the log kept
them, spans of time as of that instant, everything else as it stands today (`loose` says what).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import BooleanField, Case, Value, When

from fangyuan.core import as_of, facts, measured, timelines, words
from fangyuan.core.records import Record
from fangyuan.engine import compile as compiler
from fangyuan.engine.kinds import base
from fangyuan.engine.scope import Pick, Subjects

TABLES: Final = """
CREATE TEMP TABLE engine_pass (
  place bigint, event_id bigint, first_id bigint, request_id bigint, at timestamptz,
  person_id bigint, record_id bigint, is_new boolean, after jsonb, before jsonb);
CREATE TEMP TABLE engine_verdict (place bigint, met boolean[], was_met boolean[]);
"""
_BEFORE: Final = """
UPDATE engine_verdict v SET was_met = x.met FROM ({before}) x (place, met)
 WHERE v.place = x.place"""
Condition = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """Conditions about passes of one record type, and how they are asked."""

    model: Any
    conditions: list[Condition]
    as_of: datetime

    @functools.cached_property
    def loose(self) -> list[str]:
        """The labels of facts without a past, which are judged as they stand today."""
        names = {name for one in self.conditions for name in words.names(one)}
        found = [facts.find(self.model, name) for name in names]
        return sorted({fact.label for fact in found if fact.reads or "__" in fact.path})

    @functools.cached_property
    def columns(self) -> list[str]:
        """The record's own columns that the conditions read."""
        text = timelines.text_of(self._rows().values_list(*self._own))
        return sorted(set(re.findall(rf'"{self._table}"\."(\w+)"', text)) - {"id", *_PLACED})

    def sql(self, state: str) -> str:
        """Rows (place, met): whether each condition held; `state` is how the record stood."""
        kept = Subjects(base.Owed(record=self.model.record_name()), self.as_of, Pick())
        said = []
        for name, (_, spanned) in self._divided.items():
            held = " * ".join(kept.spans_of(spanned, outer=True))
            said.append(f"coalesce(s.{name}{f' AND ({held}) @> s.fy_at' if held else ''}, false)")
        joins = "\n       ".join(kept._joins)
        return f"""SELECT s.fy_place, ARRAY[{", ".join(said)}]::boolean[]
  FROM ({self._past(state)}) s
       {joins}"""  # noqa: S608 - Django's SQL and own names

    @functools.cached_property
    def _divided(self) -> dict[str, tuple[Condition, Condition]]:
        """By a name for each condition: what is judged of the row, and what by spans of time."""
        found = {}
        for place, condition in enumerate(self.conditions):
            spanned = {
                name: wanted
                for name, wanted in condition.items()
                if any(self._is_spanned(one) for one in words.names({name: wanted}))
            }
            own = {name: one for name, one in condition.items() if name not in spanned}
            found[f"fy_met_{place}"] = (own, spanned)
        return found

    def _is_spanned(self, name: str) -> bool:
        fact = facts.find(self.model, name)
        plain = isinstance(fact, facts.Plain) or isinstance(fact, measured.Measured)
        return not plain and bool(fact.is_temporal)

    @property
    def _own(self) -> list[str]:
        return list(self._divided)

    @property
    def _table(self) -> str:
        return str(self.model._meta.db_table)

    def _rows(self) -> Any:
        own = {name: condition for name, (condition, _) in self._divided.items()}
        asked = {name for one in own.values() for name in words.names(one)}
        rows = facts.annotate(self.model._base_manager.order_by(), asked)
        return rows.annotate(**{name: _truth(self.model, one) for name, one in own.items()})

    def _past(self, state: str) -> str:
        """Django's own judgement, of rows as they stood and as of the instant of each pass."""
        table, fields = self._table, self.model._meta.concrete_fields
        pointers = getattr(self.model, "any_fields", {})
        links = [f.attname for f in fields if f.is_relation]
        links += [f"{name}_{part}" for name in pointers for part in ("type", "id")]
        links = sorted({*links, "id"})
        placed = {name: as_of.column(self.model, name) for name in _PLACED}
        rows = self._rows().annotate(**placed).values_list(*_PLACED, *self._own, *links)
        # Most records are still as they were: those need not be put together anew. And what a save
        # made was not there before.
        old = "" if state == "after" else " AND NOT p.is_new"
        past = f"""SELECT p.place AS fy_place, p.at AS fy_at, s.*
          FROM engine_pass p JOIN "{table}" s ON s.id = p.record_id WHERE p.{state} = '{{}}'{old}
        UNION ALL
        SELECT p.place, p.at, r.* FROM engine_pass p JOIN "{table}" s ON s.id = p.record_id
               CROSS JOIN LATERAL jsonb_populate_record(s, p.{state}) r
         WHERE p.{state} <> '{{}}'{old}"""  # noqa: S608
        said = as_of.text_of(rows, past)
        names = ", ".join([*_PLACED, *self._own, *links])
        return f"SELECT * FROM ({said}) x ({names})"  # noqa: S608 - Django's SQL, own names


_PLACED: Final = ("fy_place", as_of.AT)


def _truth(model: Any, condition: Condition) -> Case:
    when = When(words.where(model, condition), then=Value(True)) if condition else None
    found = Case(when, default=Value(False)) if when else Case(default=Value(True))
    found.output_field = BooleanField()
    return found


def judge(cursor: Any, judged: Judged, *, both: bool = False) -> None:
    """Lay down which conditions held at each pass; `both`: also as the record stood before it."""
    cursor.execute(f"INSERT INTO engine_verdict (place, met) {judged.sql('after')}")
    cursor.execute("ANALYZE engine_verdict")
    if both:
        before = judged.sql("before")
        cursor.execute(_BEFORE.format(before=before))


# --- finding the passes


@dataclass(frozen=True)
class Span:
    """The instants looked at, from the first up to but without the last."""

    starts_at: datetime
    ends_at: datetime

    def holes(self, judged: Judged) -> dict[str, str]:
        """What the statements have in common."""
        return {
            "record": judged.model.record_name(),
            "columns": f"{timelines.literal(judged.columns)}::text[]",
            "starts": f"{timelines.literal(self.starts_at)}::timestamptz",
            "ends": f"{timelines.literal(self.ends_at)}::timestamptz",
        }


def steps(cursor: Any, judged: Judged, step: str, span: Span, *, asked: bool = False) -> None:
    """Lay down every time a step was taken on a record, or with `asked` was asked for."""
    model, record = judged.model, judged.model.record_name()
    taken = "e.op = 'C'" if step == "create" else f"e.action = {timelines.literal(step)}"
    cursor.execute(
        compiler.template("steps").substitute(
            span.holes(judged),
            is_step=f"{taken} AND e.op IN ('C', 'U')",
            action=timelines.literal(f"{record}.{step}"),
            when="asked_at" if asked else "decided_at",
            is_asked="true" if asked and step != "create" else "q.state = 'AGREED'",
            told=_told(model, step),
        )
    )
    _undo(cursor, judged, span)


def saves(cursor: Any, judged: Judged, span: Span) -> None:
    """Lay down every save of a record that touched one of the columns."""
    model = judged.model
    begun = timelines.begins(model, "s")
    cursor.execute(
        compiler.template("saves").substitute(
            span.holes(judged),
            table=model._meta.db_table, begun=begun, person=_person(model, begun),
        )
    )  # fmt: skip
    _undo(cursor, judged, span)


def _undo(cursor: Any, judged: Judged, span: Span) -> None:
    """Put the records back to how they stood."""
    cursor.execute("ANALYZE engine_pass")
    # A few records are looked up in the log one by one, many are joined with it.
    cursor.execute("SET LOCAL enable_nestloop = on")
    cursor.execute(compiler.template("undone").substitute(span.holes(judged)))
    cursor.execute("SET LOCAL enable_nestloop = off")


def _told(model: Any, step: str) -> str:
    """History that was brought in: an instant that only this step writes says when it was taken."""
    found, which = "", "s.imported_at IS NOT NULL"
    if step == "create":
        found = timelines.begins(model, "s")
    elif not issubclass(model, Record):  # traces of access are rows of their own kind
        found, which = "s.at", f"s.kind = {timelines.literal(step.upper())}"
    else:
        written = [name for name, verb in model.governed.items() if verb == step]
        instants = [one for one in written if facts.find(model, one).kind == "at"]
        found = f's."{instants[0]}"' if instants else ""
    if not found:
        return "SELECT NULL::bigint, NULL::timestamptz, NULL::bigint WHERE false"
    return f"""SELECT s.id, {found}, {_person(model, found)}
    FROM "{model._meta.db_table}" s WHERE {which}"""  # noqa: S608 - own names


def _person(model: Any, at: str) -> str:
    """Whose record it is: the person it names, else whoever held it at an instant."""
    owned_by = getattr(model, "owned_by", "person")
    if (column := base.person_field(model, owned_by)) is not None:
        return f's."{column.column}"'
    if owned_by == "id":
        return "s.id"
    kind, number = f"'{model.record_name()}'", "s.id"
    if owned_by in getattr(model, "any_fields", {}):
        kind, number = f's."{owned_by}_type"', f's."{owned_by}_id"'
    elif owned_by:
        column = model._meta.get_field(owned_by)
        kind, number = f"'{column.related_model.record_name()}'", f's."{column.column}"'
    return f"""(SELECT h.person_id FROM org_holding h
      WHERE h.subject_type = {kind} AND h.subject_id = {number} AND h.role = 'OWNER'
        AND h.removed_at IS NULL AND h.starts_at <= {at}
        AND (h.ends_at IS NULL OR h.ends_at > {at})
      ORDER BY h.starts_at DESC LIMIT 1)"""  # noqa: S608 - own names
