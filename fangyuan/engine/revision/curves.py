"""What a replay is asked, and how its outcome moves with the numbers of a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fangyuan.core import measured, records, spans, words
from fangyuan.engine.revision import drafts, tried

_OF_TEAM: Final = """{person} IN (
  WITH RECURSIVE below AS (
    SELECT id FROM org_team WHERE id = {team}
    UNION SELECT t.id FROM org_team t JOIN below ON t.parent_id = below.id)
  SELECT m.person_id FROM org_membership m JOIN below ON below.id = m.team_id
   WHERE m.is_main AND m.removed_at IS NULL AND m.starts_on <= current_date
     AND (m.ends_on IS NULL OR m.ends_on >= current_date))"""
SHARES: Final = (2, 3 / 2, 2 / 3, 1 / 2)
COMPARING: Final = (*words.ORDERED, measured.FALL)


@dataclass(frozen=True)
class Asked:
    """Which past is asked for: the days from `first` to `last`, of a department or of all."""

    first: date
    last: date
    as_of: datetime
    team: int | None = None

    @property
    def starts_at(self) -> datetime:
        """The first instant."""
        return spans.midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        """The instant after the last day, or now where that comes first."""
        return min(spans.midnight(self.last + timedelta(days=1)), self.as_of)

    @property
    def weeks(self) -> float:
        """How many weeks the days make."""
        return max((self.ends_at - self.starts_at) / timedelta(weeks=1), 1 / 7)

    def chosen(self, person: str) -> str:
        """Whether the person in this column belongs to the department asked for."""
        return _OF_TEAM.format(team=int(self.team), person=person) if self.team else "true"


def point(
    trial: drafts.Trial,
    at: tuple[str, Any, str],
    states: Counter[str],
    missing: int,
    *,
    is_draft: bool = False,
) -> dict[str, Any]:
    """One point of a curve: parameter, value and label, and what the draft gives with it."""
    return {
        "clause": trial.number,
        "line": trial.line,
        "family": trial.family,
        "parameter": at[0],
        "value": at[1],
        "label": at[2],
        "is_draft": is_draft,
        **tried.tallied(states),
        "people_missing": missing,
    }


@dataclass(frozen=True)
class Variant:
    """The rule with another number in one of its conditions."""

    parameter: str
    value: Any
    label: str
    params: dict[str, Any]
    is_draft: bool = False


def variants(trial: drafts.Trial, *, most: int = len(SHARES)) -> list[Variant]:
    """The rule with the first number of its conditions moved up and down, the draft's own among
    them; empty where no condition compares with a number."""
    if trial.rule is None:
        return []
    found = next(_numbers(trial.rule.params), None)
    if found is None:
        return []
    path, own = found
    values = {_moved(own, share) for share in SHARES[:most]} | {own}
    return [
        Variant(
            ".".join(str(part) for part in path),
            value,
            _label(trial, path, value),
            _with(trial.rule.params, path, value),
            is_draft=value == own,
        )
        for value in sorted(values)
    ]


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where in the parameters a condition compares with a number."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in parts:
        here = (*path, name)
        if isinstance(one, dict | list):
            yield from _numbers(one, here)
        elif name in COMPARING and isinstance(one, int | float) and len(here) > 2:  # noqa: PLR2004
            yield here, one


def _moved(own: Any, share: float) -> Any:
    return max(round(own * share), 1) if isinstance(own, int) else round(own * share, 2)


def _with(value: Any, path: tuple[Any, ...], number: Any) -> Any:
    if not path:
        return number
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = _with(value[path[0]], path[1:], number)
    return copied


def _label(trial: drafts.Trial, path: tuple[Any, ...], value: Any) -> str:
    """The condition with this number, in words."""
    model, (*_, name, word) = records.row_types()[trial.record], path
    wanted: Any = trial.rule.params if trial.rule else {}
    for part in path[:-1]:
        wanted = wanted[part]
    wanted = {**wanted, word: value} if word == measured.FALL else {word: value}
    if measured.is_measured(model, name):
        return str(measured.sentence(model, name, wanted))
    return words.sentence(model, {name: wanted})
