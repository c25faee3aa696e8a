"""Where somebody stood at a past instant: team and position by the spans, leader and superior by
the event log, which keeps every value these two fields ever had here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from fangyuan.core import ready


@dataclass(frozen=True)
class Post:
    """A person's place in the company; what there was not is empty."""

    team: str = ""
    position: str = ""
    leader: str = ""
    superior: str = ""

    @property
    def above(self) -> list[str]:
        """The superior, and the team's leader where that is somebody else."""
        return list(dict.fromkeys(name for name in (self.superior, self.leader) if name))


# The first change after the instant holds what stood at it.
_WAS: Final = """
  LEFT JOIN LATERAL (SELECT true AS changed, e.diff -> '{field}' ->> 0 AS was FROM core_event e
                      WHERE e.record = '{record}' AND e.record_id = {of}.id AND e.op = 'U'
                        AND e.at > %(at)s AND e.diff ? '{field}'
                      ORDER BY e.at, e.id LIMIT 1) {name} ON true"""
_POST: Final = f"""
SELECT t.name, c.label,
       (SELECT name FROM org_person WHERE id = CASE WHEN l.changed THEN l.was::bigint
                                                    ELSE t.leader_id END),
       (SELECT name FROM org_person WHERE id = CASE WHEN s.changed THEN s.was::bigint
                                                    ELSE p.manager_id END)
  FROM org_person p
  LEFT JOIN LATERAL (SELECT * FROM org_membership m
                      WHERE m.person_id = p.id AND m.removed_at IS NULL AND m.starts_on <= %(day)s
                        AND (m.ends_on IS NULL OR m.ends_on >= %(day)s)
                      ORDER BY m.is_main DESC, m.id LIMIT 1) m ON true
  LEFT JOIN org_team t ON t.id = m.team_id
  LEFT JOIN core_term c ON c.key = m.position_id
{_WAS.format(field="leader_id", record="team", of="t", name="l")}
{_WAS.format(field="manager_id", record="person", of="p", name="s")}
 WHERE p.id = %(person)s
"""  # noqa: S608 - constants of this module


def post(person_id: int, at: datetime) -> Post:
    """The person's main place at an instant."""
    given = {"person": person_id, "at": at, "day": timezone.localdate(at)}
    rows = ready.ask(_POST, given)
    return Post(*(value or "" for value in rows[0])) if rows else Post()
