"""How the ledger stood at a past instant, in two senses that must never be mixed.

`KNOWN` (当时所见) is what the ledger held then, by its moves. `TODAY` (今日重算) is what today's
facts say of then: late records, waivers and corrections since are in it. The ledger remembers from
the end of its first sweep on; how it stood before is inferred from what it knew when it began.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from fangyuan.core import spans, timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import models

KNOWN: Final = "known"
TODAY: Final = "today"
_TEXTS: Final = {KNOWN: "then", TODAY: "recut"}
_FIELDS: Final = [f for f in models.Obligation._meta.concrete_fields if f.column != "wakes_at"]
_COLUMNS: Final = ", ".join(f"t.{f.column}" for f in _FIELDS)
_MINE: Final = "(%(people)s::bigint[] IS NULL OR person_id = ANY (%(people)s))"
# What was red then and is so no more: by the moves, or by when it was done after all.
_SINCE: Final = {
    KNOWN: f"""(SELECT o.id FROM engine_move m
     JOIN engine_obligation o ON o.id = m.obligation_id AND o.began_on = m.began_on
    WHERE m.was = 'BREACHED' AND m.at > %(at)s AND o.rule_id = ANY (%(rules)s) AND {_MINE})""",  # noqa: S608 - constants of this module
    TODAY: f"""(SELECT id FROM engine_obligation
    WHERE rule_id = ANY (%(rules)s) AND state = 'LATE' AND due_at <= %(at)s AND met_at > %(at)s
      AND {_MINE} ORDER BY due_at DESC LIMIT %(most)s)""",  # noqa: S608
}
_STOOD: Final = "SELECT {columns} FROM ({then}) t WHERE t.id = ANY (%(numbers)s)"


def kept_since() -> datetime | None:
    """From when the ledger remembers how it stood; None before its first sweep."""
    found = models.Progress.objects.everything("账本起记").filter(rule=None).first()
    return found.kept_since if found else None


def basis(at: datetime) -> str:
    """What there is to see of an instant: what was known, or only what is inferred today."""
    since = kept_since()
    return KNOWN if since is not None and at >= since else TODAY


def ledger(sense: str, at: str) -> str:
    """A table expression with the ledger of an instant; `at` is SQL, e.g. `%(at)s::timestamptz`."""
    return compiler.template(_TEXTS[sense]).substitute(at=at)


def stood(numbers: list[int], at: datetime, sense: str) -> dict[int, models.Obligation]:
    """These obligations as they stood at an instant; those that were not there then are missing."""
    then = ledger(sense, "%(at)s::timestamptz")
    text = _STOOD.format(columns=_COLUMNS, then=then)
    rows = models.Obligation.objects.everything("所见的义务当时怎样").raw(
        text, {"numbers": list(numbers), "at": at}
    )
    return {duty.pk: duty for duty in rows}


def red(
    rules: list[int], at: datetime, sense: str, *, people: list[int] | None, most: int
) -> list[models.Obligation]:
    """The latest duties of these rules that stood red at an instant, as they stood; only those that
    are of these people now, if any are given."""
    text = compiler.template("red").substitute(
        columns=_COLUMNS,
        mine=_MINE,
        since=_SINCE[sense],
        then=ledger(sense, "%(at)s::timestamptz"),
    )
    given = {"rules": rules, "at": at, "people": people, "most": most}
    return list(models.Obligation.objects.everything("当时的违规").raw(text, given))


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
