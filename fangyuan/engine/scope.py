"""The subjects of a rule as SQL: who is in scope when, with the instants the rule reads.

Conditions on facts as they stand become Django's own WHERE; conditions on facts with a past become
spans of time, multiplied into one multirange per subject.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import DateTimeField, Expression, F, Func, Q

from fangyuan.core import facts, measured, records, spans, timelines, words
from fangyuan.core.timelines import EVER, NEVER
from fangyuan.engine.kinds import base
from fangyuan.org.models import Person


@dataclass(frozen=True)
class Pick:
    """Which part of a rule is asked for: all, some subjects, or periods begun since an instant."""

    subjects: tuple[int, ...] | None = None
    since: datetime | None = None


@dataclass
class Subjects:
    """Builds the `subject` part of a kind's statement."""

    kind: base.Owed
    as_of: datetime
    pick: Pick
    adopted: str = EVER
    sees_all: bool = False
    columns: dict[str, Any] = field(default_factory=dict)
    also: dict[str, Any] = field(default_factory=dict)
    # Between which instants a column must lie to matter at all.
    bounds: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    # How the spans of one condition are found; alerts bring a way that knows measured facts.
    rows: Callable[[timelines.Atom, str | None], str] = timelines.rows
    _joins: list[str] = field(default_factory=list)

    @property
    def model(self) -> Any:
        """The record type of the subjects."""
        return self.kind.model

    def sql(self, beside: dict[str, base.Condition] | None = None) -> str:
        """The statement; `beside` adds columns with the spans in which something else held."""
        static, temporal = divide(self.model, self.kind.where)
        product = [self._existence(), *self.spans_of(temporal), *self.spans_of(self.also)]
        if self.adopted != EVER:
            product.append(self.adopted)
        # Joined last: what it costs is asked only of what is in scope.
        extra = {
            name: " * ".join(self.spans_of(one, outer=True)) for name, one in (beside or {}).items()
        }
        own, held_type, held_id = self._owner()
        known = self._known()
        chosen = {
            "subject_id": "s.id",
            "known_at": known,
            "imported_at": "s.imported_at",
            **{name: f"s.{name}" for name in self.columns},
            "own_id": own,
            "held_type": held_type,
            "held_id": held_id,
            "scope": " * ".join(product),
            **extra,
        }
        said = ",\n         ".join(f"{sql} AS {name}" for name, sql in chosen.items())
        source, joins = self._source(static), "\n         ".join(self._joins)
        # Most records are in scope for one span; then its end needs no search.
        return f"""  SELECT x.*, x.scope = tstzmultirange(range_merge(x.scope)) AS is_one,
         coalesce(lower(x.scope), '-infinity') AS opens_at,
         coalesce(upper(x.scope), 'infinity') AS closes_at
    FROM (
    SELECT {said}
      FROM ({source}) s
         {joins}
  ) x WHERE NOT isempty(x.scope)"""  # noqa: S608 - made of Django's SQL and quoted literals

    def _source(self, static: dict[str, Any]) -> str:
        rows = facts.annotate(self.model._base_manager.order_by(), words.names(static))
        rows = rows.filter(words.where(self.model, static))
        if not self.sees_all:
            known = self.model.known_since
            by_day = facts.find(self.model, known).kind == "date"
            limit = spans.day_of(self.as_of) if by_day else self.as_of
            rows = rows.filter(Q(**{f"{known}__lte": limit}))
        if self.pick.subjects is not None:
            rows = rows.filter(pk__any_of=self.pick.subjects)
        rows = rows.annotate(**self.columns) if self.columns else rows
        # What is asked of other tables is asked once: neither to bound it nor where it is read.
        asked = {n for n, column in self.columns.items() if not isinstance(column, F)}
        for name, bounds in self.bounds.items():
            if name not in asked:
                rows = rows.filter(**{f"{name}__range": bounds})
        text = timelines.text_of(rows.values_list(*sorted(needed(self.model)), *self.columns))
        return text + " OFFSET 0" * bool(asked)

    def _existence(self) -> str:
        begin = timelines.begins(self.model, "s")
        # One range where it can be: multiplying spans of every record is what a sweep costs.
        sql = f"""tstzmultirange(CASE WHEN s.removed_at < {begin} THEN 'empty'
                ELSE tstzrange({begin}, s.removed_at) END)"""
        if self.model.ends:
            end = timelines.instant(f's."{self.model.ends}"', by_day=True, days=1)
            sql += f" * tstzmultirange(tstzrange(NULL, {end}))"
        return sql

    def _known(self) -> str:
        column = self.model._meta.get_field(self.model.known_since)
        by_day = column.get_internal_type() == "DateField"
        return timelines.instant(f's."{column.column}"', by_day=by_day)

    def spans_of(self, temporal: dict[str, Any], *, outer: bool = False) -> list[str]:
        """One multirange expression for each condition, joined as needed.

        An outer join keeps the records for which it was never true.
        """
        found = []
        for name, wanted in temporal.items():
            if name == "any":
                groups = [" * ".join(self._group(group)) or EVER for group in wanted]
                found.append("(" + " + ".join(f"({one})" for one in groups) + ")")
            else:
                found += [self._join(one, outer=outer) for one in self._atoms(name, wanted)]
        return found

    def _group(self, group: dict[str, Any]) -> list[str]:
        static, temporal = divide(self.model, group)
        found = self.spans_of(temporal, outer=True)
        if static:
            rows = facts.annotate(self.model._base_manager.order_by(), words.names(static))
            rows = rows.filter(words.where(self.model, static)).values_list("pk")
            sql = (
                f"SELECT f.id AS subject_id, {EVER} AS span FROM ({timelines.text_of(rows)}) f (id)"  # noqa: S608
            )
            near = " WHERE f.id = s.id" if self.pick.subjects is not None else ""
            found.append(f"coalesce({self._joined(sql + near, 's.id', outer=True)}, {NEVER})")
        return found

    def _atoms(self, name: str, wanted: Any) -> list[timelines.Atom]:
        fact = facts.find(self.model, name)
        return (
            measured.atoms(fact, wanted)
            if isinstance(fact, measured.Measured)
            else timelines.atoms(fact, wanted)
        )

    def _join(self, atom: timelines.Atom, *, outer: bool = False) -> str:
        link = self._link(atom.fact)
        near = link if self.pick.subjects is not None else None
        outer = outer or atom.negated
        span = self._joined(self.rows(atom, near), link, outer=outer)
        if atom.negated:
            return f"({EVER} - coalesce({span}, {NEVER}))"
        return f"coalesce({span}, {NEVER})" if outer else span

    def _joined(self, rows: str, link: str, *, outer: bool) -> str:
        name = f"k{len(self._joins) + 1}"
        how = "LEFT JOIN" if outer else "JOIN"
        if self.pick.subjects is not None:
            # Few subjects: look each one up instead of aggregating the whole table.
            on = "true" if outer else f"{name}.span IS NOT NULL"
            self._joins.append(
                f"{how} LATERAL (SELECT range_agg(r.span) AS span FROM ({rows}) r) {name} ON {on}"  # noqa: S608
            )
        else:
            self._joins.append(
                f"{how} (SELECT r.subject_id, range_agg(r.span) AS span FROM ({rows}) r"  # noqa: S608
                f" GROUP BY 1) {name} ON {name}.subject_id = {link}"
            )
        return f"{name}.span"

    def _link(self, fact: Any) -> str:
        if not isinstance(fact, facts.Via):
            return "s.id"
        return pointer(self.model, fact.link, fact.to)

    def _owner(self) -> tuple[str, str, str]:
        """Columns for who answers: a person of the record's own, or the record that is held."""
        own = self._own_person()
        if own is not None:
            return own, "NULL", "NULL::bigint"
        owned_by = self.model.owned_by
        if owned_by in getattr(self.model, "any_fields", {}):
            return _PERSON_POINTED.format(at=owned_by), f's."{owned_by}_type"', f's."{owned_by}_id"'
        if not owned_by:
            return "NULL::bigint", f"'{self.model.record_name()}'", "s.id"
        column = self.model._meta.get_field(owned_by)
        return "NULL::bigint", f"'{column.related_model.record_name()}'", f's."{column.column}"'

    def _own_person(self) -> str | None:
        """The column that names the person, if the record itself names one."""
        who, owned_by = self.kind.who, self.model.owned_by
        if who == "recorded_by":
            return "s.recorded_by"
        if owned_by == "id" and who in ("self", "owner") or who == "self" and self.model is Person:
            return "s.id"
        for name in ("person" if who == "self" else who, owned_by):
            if (column := base.person_field(self.model, name)) is not None:
                return f's."{column.column}"'
        return "s.id" if owned_by == "id" else None


# What is about a colleague or a team is that person's, or the leader's: nobody holds either.
_PERSON_POINTED: Final = """CASE s."{at}_type" WHEN 'person' THEN s."{at}_id" WHEN 'team'
            THEN (SELECT t.leader_id FROM org_team t WHERE t.id = s."{at}_id") END"""


def pointer(model: Any, link: str, to: str) -> str:
    """The number of the record that a foreign key or a pointer of this type names."""
    if link in getattr(model, "any_fields", {}):
        return f'CASE WHEN s."{link}_type" = \'{to}\' THEN s."{link}_id" END'
    return f's."{model._meta.get_field(link).column}"'


def divide(model: Any, condition: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Conditions on facts as they stand, and those that need a past; `any` goes with its parts."""
    static: dict[str, Any] = {}
    temporal: dict[str, Any] = {}
    for name, wanted in condition.items():
        if name == "any":
            has_past = any(divide(model, group)[1] for group in wanted)
        else:
            has_past = _has_past(facts.find(model, name), wanted)
        (temporal if has_past else static)[name] = wanted
    return static, temporal


def _has_past(fact: Any, wanted: Any) -> bool:
    if not fact.is_temporal:
        return False
    return not (isinstance(fact, facts.Plain) and fact.kind in ("at", "date") and _compares(wanted))


def _compares(wanted: Any) -> bool:
    """Whether an instant is compared with something rather than asked for being given."""
    return not (isinstance(wanted, dict) and set(wanted) <= {"empty", "not_empty"})


@functools.cache
def needed(model: Any) -> frozenset[str]:
    """The columns that every statement reads of its subjects, whatever the rule asks."""
    names = {"id", "recorded_at", "recorded_by", "imported_at", "removed_at"}
    names |= {model.begins, model.ends or "", model.known_since}
    return frozenset(
        f.attname
        for f in model._meta.concrete_fields
        if f.name in names or f.is_relation or f.name.startswith("subject_")
    )


def value_of(model: Any, name: str) -> Expression | F:
    """A fact as an expression for a column of the statement."""
    fact = facts.find(model, name)
    return fact.now() or F(fact.path)


def moment_of(model: Any, name: str) -> Expression | F:
    """An instant as an expression for a column; a day begins at 00:00 in the company's zone."""
    value = value_of(model, name)
    if facts.find(model, name).kind != "date":
        return value
    midnight = timelines.instant("(%(expressions)s)", by_day=True)
    return Func(value, template=midnight, output_field=DateTimeField())


def record_type(name: str) -> Any:
    """The record type of this name."""
    return records.row_types()[name]
