"""Lines of authority: superiors, holders of a position, leaders of departments. As of now."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from fangyuan.org import models as org

_UP = """
WITH RECURSIVE up AS (
  SELECT p.manager_id AS id, 1 AS step, ARRAY[p.id] AS seen FROM org_person p WHERE p.id = %s
  UNION ALL
  SELECT p.manager_id, up.step + 1, up.seen || p.id
    FROM up JOIN org_person p ON p.id = up.id WHERE NOT p.id = ANY (up.seen)
)
SELECT up.id FROM up JOIN org_person p ON p.id = up.id
 WHERE p.removed_at IS NULL AND p.account_state <> 'DISABLED' ORDER BY step
"""


def superiors(person_id: int) -> list[int]:
    """The numbers of a person's superiors, nearest first; a circle ends it."""
    with connection.cursor() as cursor:
        cursor.execute(_UP, [person_id])
        return [row[0] for row in cursor.fetchall() if row[0] != person_id]


def holding_position(position: str, *, on: date) -> Any:
    """Memberships in a position on a day."""
    return (
        org.Membership.objects.everything("岗位解析")
        .present()
        .filter(
            Q(ends_on=None) | Q(ends_on__gte=on), position=f"position:{position}", starts_on__lte=on
        )
    )


def holders(position: str, *, on: date) -> list[int]:
    """The people in a position on a day, in the order of their numbers."""
    found = holding_position(position, on=on).values_list("person_id", flat=True)
    return sorted(set(found))


def team_leader(code: str) -> int | None:
    """The leader of the team with this code."""
    team = org.Team.objects.everything("部门负责人").present().filter(code=code).first()
    return team.leader_id if team else None


def resolve(role: str, person_id: int, *, on: date) -> list[int]:
    """The people whom a role name means for this person: superior, department leader or holder.

    Never the person themselves; falls back to the direct superior when nobody holds the role.
    """
    above = superiors(person_id)
    if role in ("line_manager", "direct_superior"):
        return above[:1]
    if leader := team_leader(role):
        return [leader] if leader != person_id else above[:1]
    holding = holders(role, on=on)
    nearest = [number for number in above if number in holding]
    if nearest:
        return nearest[:1]
    if role.endswith(("_manager", "_director", "_supervisor")) or not holding:
        return above[:1]
    return [number for number in holding if number != person_id] or above[:1]
