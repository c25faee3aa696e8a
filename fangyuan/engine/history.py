"""How the ledger stood at a past instant, in two senses that must never be mixed.

`KNOWN` (当时所见) is what the ledger held then, by its moves. `TODAY` (今日重算) is what today's
facts say of then: late records, waivers and corrections since are in it. The ledger remembers from
the end of its first sweep on; how it stood before is inferred from what it knew when it began.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from fangyuan.core import ready, spans, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import models

KNOWN: Final = "known"
TODAY: Final = "today"
_TEXTS: Final = {KNOWN: "then", TODAY: "recut"}
_FIELDS: Final = [f for f in models.Obligation._meta.concrete_fields if f.column != "wakes_at"]
_NAMES: Final = [f.attname for f in _FIELDS]
_CAUSE: Final = _NAMES.index("cause")
_KEPT: Final = "(SELECT kept_since FROM engine_progress WHERE rule_id IS NULL)"
_COLUMNS: Final = f"{_KEPT} AS kept_since, " + ", ".join(f"t.{f.column}" for f in _FIELDS)
_MINE: Final = "(%(people)s::bigint[] IS NULL OR person_id = ANY (%(people)s::bigint[]))"
_AT: Final = "%(at)s::timestamptz"


def kept_since() -> datetime | None:
    """From when the ledger remembers how it stood; None before its first sweep."""
    found = models.Progress.objects.everything("账本起记").filter(rule=None).first()
    return found.kept_since if found else None


def basis(at: datetime) -> str:
    """What there is to see of an instant: what was known, or only what is inferred today."""
    since = kept_since()
    return KNOWN if since is not None and at >= since else TODAY


@functools.cache
def ledger(at: str, sense: str | None = None) -> str:
    """A table expression with the ledger of an instant; `at` is SQL, e.g. `%(at)s::timestamptz`.

    Without a sense it is what was known, and before that was kept what is inferred today.
    """
    if sense is not None:
        return compiler.template(_TEXTS[sense]).substitute(at=at)
    is_known = f"{at} >= coalesce({_KEPT}, 'infinity')"
    return (
        f"SELECT * FROM ({ledger(at, KNOWN)}) k WHERE {is_known}"  # noqa: S608 - our own texts
        f" UNION ALL SELECT * FROM ({ledger(at, TODAY)}) r WHERE NOT {is_known}"
    )


def stood(numbers: list[int], at: datetime, sense: str | None) -> dict[int, models.Obligation]:
    """These obligations as they stood at an instant; those that were not there then are missing.

    Each knows `kept_since`.
    """
    rows = ready.ask(_stood(sense), {"numbers": numbers, "at": at})
    return {duty.pk: duty for duty in map(_duty, rows)}


def both(number: int, at: datetime) -> dict[str, models.Obligation]:
    """One obligation of an instant in either sense, as far as it was there."""
    rows = ready.ask(_both(), {"numbers": [number], "at": at})
    return {sense: _duty(row) for sense, *row in rows}


def red(
    rules: list[int], at: datetime, *, people: list[int] | None, most: int
) -> list[models.Obligation]:
    """The latest duties of these rules that stood red at an instant, as they stood; only those that
    are of these people now, if any are given."""
    given = {"rules": rules, "at": at, "people": people, "most": most}
    return [_duty(row) for row in ready.ask(_red(), given)]


@functools.cache
def _stood(sense: str | None) -> str:
    return (
        f"SELECT {_COLUMNS} FROM ({ledger(_AT, sense)}) t"  # noqa: S608 - our own texts
        " WHERE t.id = ANY (%(numbers)s::bigint[])"
    )


@functools.cache
def _both() -> str:
    told = [f"SELECT '{sense}' AS sense, x.* FROM ({_stood(sense)}) x" for sense in _TEXTS]  # noqa: S608
    return " UNION ALL ".join(told)


@functools.cache
def _red() -> str:
    return compiler.template("red").substitute(columns=_COLUMNS, then=ledger(_AT), mine=_MINE)


def _duty(row: Sequence[Any]) -> models.Obligation:
    since, *values = row
    values[_CAUSE] = json.loads(values[_CAUSE])
    duty = models.Obligation.from_db(connection.alias, _NAMES, values)
    duty.kept_since = since  # type: ignore[attr-defined]
    return duty


def begin(state: models.Progress, as_of: datetime) -> None:
    """Have the ledger remember from its first sweep on; what came before is inferred, once."""
    if state.kept_since is not None:
        return
    state.kept_since = as_of
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM engine_tallymove")
        cursor.execute(
            compiler.template("infer").substitute(
                now=f"{timelines.literal(as_of)}::timestamptz", zone=spans.SHANGHAI.key
            )
        )


def tallied(day: date) -> set[tuple[Any, ...]]:
    """The tallies as they stood at the end of a day, for checks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule_id, person_id, due_on, state, sum(number)::bigint FROM engine_tallymove"
            " WHERE known_on <= %s GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0",
            [day],
        )
        return set(cursor.fetchall())
