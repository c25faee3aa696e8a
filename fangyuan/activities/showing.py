"""What is shown of one point of an agenda, and of what a meeting is looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from fangyuan.activities import agenda
from fangyuan.activities.models import Meeting
from fangyuan.org.models import Holding


@dataclass
class Figure:
    """A number with what it is held against."""

    label: str
    value: str
    was: str = ""
    tone: str = ""
    url: str = ""


@dataclass
class Line:
    """One row of a point: what, about whom, how it stands."""

    text: str
    url: str = ""
    note: str = ""
    who: str = ""
    tone: str = ""
    pk: int = 0


@dataclass
class Shown:
    """What is shown of one point."""

    figures: list[Figure] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    more: int = 0
    url: str = ""
    empty: str = ""

    def kept(self) -> dict[str, Any]:
        """The same as it is kept with the minutes."""
        return asdict(self)


def again(kept: dict[str, Any]) -> Shown:
    """What was kept with minutes, to be shown once more."""
    return Shown(
        [Figure(**one) for one in kept.get("figures", ())],
        [Line(**one) for one in kept.get("lines", ())],
        kept.get("more", 0),
        kept.get("url", ""),
        kept.get("empty", ""),
    )


@dataclass
class Room:
    """Whom a meeting is about, what time it looks back on, and who looks."""

    meeting: Meeting
    actor: Any
    now: datetime
    people: list[int]
    since: datetime
    until: datetime


_BELOW: Final = """
WITH RECURSIVE tree AS (
  SELECT id FROM org_team WHERE id = %(team)s
  UNION SELECT t.id FROM org_team t JOIN tree ON t.parent_id = tree.id WHERE t.removed_at IS NULL)
SELECT DISTINCT m.person_id
  FROM org_membership m JOIN tree ON tree.id = m.team_id
  JOIN org_person p ON p.id = m.person_id AND p.removed_at IS NULL AND p.account_state <> 'DISABLED'
 WHERE m.removed_at IS NULL AND m.starts_on <= %(day)s
   AND (m.ends_on IS NULL OR m.ends_on >= %(day)s)
 ORDER BY 1
"""


def people_of(team_id: int, day: date) -> list[int]:
    """Who belongs to a team or one under it on a day."""
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, {"team": team_id, "day": day})
        return [number for (number,) in cursor.fetchall()]


def room(meeting: Meeting, actor: Any, now: datetime) -> Room:
    """The meeting as it is looked at now; one to one it is about the other one alone."""
    since, until = agenda.span_of(meeting)
    people = people_of(meeting.team_id, timezone.localdate(meeting.starts_at))
    if "ONE_ON_ONE" in meeting.kinds:
        asked = meeting.participants.everything("一对一").present().exclude(person=None)
        people = [n for n in asked.values_list("person_id", flat=True) if n != meeting.host_id]
    return Room(meeting, actor, now, people, since, until)


def held_by(people: list[int], kind: str) -> Any:
    """The numbers of the records of a type that these people answer for now."""
    held = Holding._base_manager.order_by().filter(
        subject_type=kind, person__any_of=people, role="OWNER", ends_at=None, removed_at=None
    )
    return held.values("subject_id")


def wan(amount: Decimal | int | None) -> str:
    """Money as one says it in a meeting."""
    if amount is None:
        return "未估值"
    is_large = abs(float(amount)) >= 10000
    return f"¥{amount / 10000:,.1f} 万" if is_large else f"¥{amount:,.0f}"


def share(part: Any, whole: Any) -> str:
    """A part of a whole in per cent; a dash of nothing."""
    return f"{100 * part / whole:.0f}%" if whole else "–"
