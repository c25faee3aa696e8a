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
    return _current(on).filter(position=f"position:{position}")


def _current(on: date) -> Any:
    return (
        org.Membership.objects.everything("岗位解析")
        .present()
        .filter(Q(ends_on=None) | Q(ends_on__gte=on), starts_on__lte=on)
        .filter(person__removed_at=None)
        .exclude(person__account_state=org.Person.AccountState.DISABLED)
    )


def holders(position: str, *, on: date) -> list[int]:
    """The people in a position on a day, in the order of their numbers."""
    found = holding_position(position, on=on).values_list("person_id", flat=True)
    return sorted(set(found))


def members(code: str, *, on: date) -> list[int]:
    """The people in a team on a day, in the order of their numbers."""
    return sorted(set(_current(on).filter(team__code=code).values_list("person_id", flat=True)))


def team_leader(code: str) -> int | None:
    """The leader of the team with this code, if they may sign in."""
    teams = org.Team.objects.everything("部门负责人").present().filter(code=code)
    team = teams.exclude(leader__account_state="DISABLED").first()
    return team.leader_id if team else None


def department_head(person_id: int, *, on: date) -> list[int]:
    """The leader of a person's main team; of the one above where they lead it themselves."""
    main = _current(on).filter(person=person_id).order_by("-is_main", "id")
    post = main.select_related("team").first()
    team = post.team if post else None
    seen: set[int] = set()
    while team is not None and team.pk not in seen:
        if team.leader_id and team.leader_id != person_id:
            return [team.leader_id]
        seen.add(team.pk)
        above = org.Team.objects.everything("部门负责人").present().filter(pk=team.parent_id)
        team = above.first()
    return []


def named(login: str) -> list[int]:
    """The person of this login, if there is one who may sign in."""
    people = org.Person.objects.everything("指定审批人").present().filter(login=login)
    return list(people.exclude(account_state="DISABLED").values_list("pk", flat=True))


def administrators() -> list[int]:
    """The administrators of the system."""
    people = org.Person.objects.everything("管理员").present().filter(is_admin=True)
    people = people.exclude(account_state="DISABLED").order_by("pk")
    return list(people.values_list("pk", flat=True))


def resolve(role: str, person_id: int, *, on: date) -> list[int]:
    """The people whom a role name means for this person; nobody where nobody holds it.

    A department means its leader, or its people where it has none. A position of the sales line
    means the nearest superior who holds it; any other one those of the company who hold it.
    """
    above = superiors(person_id)
    if role in ("line_manager", "direct_superior"):
        return above[:1]
    if role == "department_head":
        return department_head(person_id, on=on)
    if leader := team_leader(role):
        return [leader]
    holding = holders(role, on=on)
    nearest = [number for number in above if number in holding][:1]
    if nearest or role in org.SALES_POSITIONS:
        return nearest
    return holding or members(role, on=on)
