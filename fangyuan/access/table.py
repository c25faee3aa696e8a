"""The access table: role group × record type × operations × rows × hidden fields.

Data in `roles.yaml`; here it becomes one question per purpose. Groups of one person add up, hiding
takes the intersection of what every granting group hides; a field hidden by none is shown.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone
from ruamel.yaml import YAML

from fangyuan.core import ready

OPERATIONS = {"c": "create", "r": "read", "u": "change", "d": "remove"}
ROWS = ("all", "subtree", "region", "team", "shared", "own", "pool")


@dataclass(frozen=True)
class Grant:
    """What one group may do with one record type."""

    can: str
    rows: str
    hide: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Table:
    """The whole of roles.yaml."""

    groups: dict[str, frozenset[str]]
    records: dict[str, dict[str, Grant]]
    acts: dict[str, frozenset[str]]
    masked: frozenset[str]

    def groups_of(self, positions: Iterable[str]) -> frozenset[str]:
        held = set(positions)
        return frozenset(g for g, members in self.groups.items() if held & members) | {"*"}


@dataclass
class Sight:
    """What an actor is at this moment: groups, teams, people below. Computed once per request."""

    person_id: int
    groups: frozenset[str]
    team_ids: list[int] = field(default_factory=list)
    mate_ids: list[int] = field(default_factory=list)
    below_ids: list[int] = field(default_factory=list)
    above_ids: list[int] = field(default_factory=list)  # own teams and those they belong to
    regions: list[str] = field(default_factory=list)
    title: str = ""
    team: str = ""
    is_admin: bool = False


@functools.cache
def table() -> Table:
    """Read roles.yaml once."""
    raw = YAML(typ="safe").load(Path(__file__).with_name("roles.yaml"))
    hidden = {name: list(items) for name, items in raw["hide"].items()}
    return Table(
        groups={g: frozenset(members) for g, members in raw["groups"].items()},
        records={
            record: {g: _grant(record, spec, hidden) for g, spec in grants.items()}
            for record, grants in raw["records"].items()
        },
        acts={act: frozenset(groups) for act, groups in raw["acts"].items()},
        masked=frozenset(raw["mask"]),
    )


def _grant(record: str, spec: dict[str, Any], hidden: dict[str, list[str]]) -> Grant:
    names = [item for name in spec.get("hide", ()) for item in hidden[name]]
    own = frozenset(n.split(".", 1)[1] for n in names if n.startswith(record + "."))
    return Grant(can=spec["can"], rows=spec["rows"], hide=own)


def sight(actor: Any) -> Sight:
    """The actor's groups and reach, remembered on the actor object for one request."""
    seen: Sight | None = getattr(actor, "_sight", None)
    if seen is None:
        seen = _look(actor)
        actor._sight = seen
    return seen


# Present memberships decide; whoever looks down reaches the teams they lead and all below.
_SIGHT = """
WITH RECURSIVE present AS NOT MATERIALIZED (
  SELECT * FROM org_membership
   WHERE removed_at IS NULL AND starts_on <= %(day)s AND (ends_on IS NULL OR ends_on >= %(day)s)
), mine AS (
  SELECT m.id, m.is_main, m.team_id, t.code, t.name, t.regions, c.code AS position, c.label
    FROM present m JOIN org_team t ON t.id = m.team_id JOIN core_term c ON c.key = m.position_id
   WHERE m.person_id = %(person)s
), looking AS (
  SELECT EXISTS (SELECT FROM mine
                  WHERE position = ANY (%(looking)s) OR code = ANY (%(looking)s)) AS down
), first AS (
  SELECT t.id, t.regions FROM org_team t, looking
   WHERE t.id IN (SELECT team_id FROM mine)
      OR looking.down AND t.leader_id = %(person)s AND t.removed_at IS NULL
), below AS (
  SELECT id FROM first
  UNION
  SELECT t.id FROM below JOIN org_team t ON t.parent_id = below.id, looking
   WHERE looking.down AND t.removed_at IS NULL
), above AS (
  SELECT id, parent_id FROM org_team WHERE id IN (SELECT team_id FROM mine)
  UNION
  SELECT t.id, t.parent_id FROM above JOIN org_team t ON t.id = above.parent_id
), posts AS (
  SELECT DISTINCT team_id, person_id FROM present WHERE team_id IN (SELECT id FROM below)
)
SELECT (SELECT array_agg(ARRAY[position, code, label, name, team_id::text]
                         ORDER BY is_main DESC, id) FROM mine),
       (SELECT array_agg(DISTINCT person_id ORDER BY person_id) FROM posts
         WHERE team_id IN (SELECT team_id FROM mine)),
       CASE WHEN down THEN (SELECT array_agg(DISTINCT person_id) FROM posts) END,
       CASE WHEN down THEN (SELECT array_agg(one) FROM first, unnest(regions) one) END,
       (SELECT array_agg(id) FROM above)
  FROM looking
"""
LOOKING_DOWN = frozenset({"lead", "head", "region", "hr"})


def _look(actor: Any) -> Sight:
    looking = sorted({name for group in LOOKING_DOWN for name in table().groups.get(group, ())})
    given = {"person": actor.pk, "day": timezone.localdate(), "looking": looking}
    mine, mates, below, regions, above = ready.ask(_SIGHT, given)[0]
    # A group names positions and departments alike: being in a department is a role of its own.
    groups = table().groups_of(name for post in mine or () for name in post[:2])
    if actor.is_admin:
        groups |= {"admin"}
    seen = Sight(actor.pk, groups, is_admin=actor.is_admin, mate_ids=mates or [])
    seen.above_ids = above or []
    if mine:
        seen.title, seen.team = mine[0][2:4]
        seen.team_ids = [int(post[4]) for post in mine]
    if groups & LOOKING_DOWN:
        seen.below_ids = sorted({*(below or ()), seen.person_id})
        seen.regions = regions or []
    return seen


def grants(actor: Any, record: str, operation: str) -> Sequence[Grant]:
    """The grants that let `actor` do `operation` (one of c r u d) on rows of `record`."""
    seen = sight(actor)
    return _granted(seen.groups, seen.is_admin, record, operation)


@functools.lru_cache(maxsize=8192)
def _granted(groups: frozenset[str], is_admin: bool, record: str, can: str) -> tuple[Grant, ...]:
    if is_admin:
        return (Grant("crud", "all"),)
    found = table().records.get(record, {})
    return tuple(g for name, g in found.items() if name in groups and can in g.can)


def may(actor: Any, record: str, operation: str) -> bool:
    """Whether the actor may do this to at least some rows of the type."""
    return bool(grants(actor, record, operation))


def may_act(actor: Any, verb: str) -> bool:
    """Whether the actor may use a verb, `record.verb`; an unlisted one follows 'change'."""
    seen = sight(actor)
    allowed = table().acts.get(verb)
    if seen.is_admin:
        return True
    if allowed is None:
        return may(actor, verb.split(".", 1)[0], "u")
    return bool(allowed & seen.groups)


def hidden(actor: Any, record: str) -> frozenset[str]:
    """Fields that stay hidden from this actor on every row of the type."""
    reading = grants(actor, record, "r")
    if not reading:
        return frozenset()
    return frozenset.intersection(*(g.hide for g in reading))


def masked(record: str) -> frozenset[str]:
    """Fields shown as 138****5621 until somebody asks for the plain value."""
    return frozenset(n.split(".", 1)[1] for n in table().masked if n.startswith(record + "."))
