"""The access table: role group × record type × operations × rows × hidden fields.

Data in `roles.yaml`; here it becomes one question per purpose. Groups of one person add up, hiding
takes the intersection of what every granting group hides; a field hidden by none is shown.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils import timezone
from ruamel.yaml import YAML

from fangyuan.org import models as org

OPERATIONS = {"c": "create", "r": "read", "u": "change", "d": "remove"}
ROWS = ("all", "subtree", "region", "team", "shared", "own")


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


def _look(actor: Any) -> Sight:
    today = timezone.localdate()
    current = (
        org.Membership.objects.everything("岗位决定权限")
        .present()
        .filter(Q(ends_on=None) | Q(ends_on__gte=today), starts_on__lte=today)
    )
    mine = list(
        current.filter(person=actor).select_related("team", "position").order_by("-is_main", "id")
    )
    # A group names positions and departments alike: being in a department is a role of its own.
    groups = table().groups_of(
        [*(m.position_id.split(":", 1)[1] for m in mine), *(m.team.code for m in mine)]
    )
    if actor.is_admin:
        groups |= {"admin"}
    seen = Sight(actor.pk, groups, [m.team_id for m in mine], is_admin=actor.is_admin)
    if mine:
        seen.title, seen.team = mine[0].position.label, mine[0].team.name
    if mine or groups & LOOKING_DOWN:
        _look_around(seen, current)
    return seen


LOOKING_DOWN = frozenset({"lead", "head", "region", "hr"})


def _look_around(seen: Sight, current: Any) -> None:
    """Colleagues of the same teams, and for leaders everybody in the teams below."""
    below = set(seen.team_ids)
    if seen.groups & LOOKING_DOWN:
        teams = list(
            org.Team.objects.everything("辖下团队")
            .present()
            .values("id", "parent_id", "leader_id", "regions")
        )
        below |= {t["id"] for t in teams if t["leader_id"] == seen.person_id}
        seen.regions = [r for t in teams if t["id"] in below for r in t["regions"]]
        while more := {t["id"] for t in teams if t["parent_id"] in below} - below:
            below |= more
    posts = list(current.filter(team__in=below).values_list("team_id", "person_id"))
    seen.mate_ids = sorted({person for team, person in posts if team in set(seen.team_ids)})
    if seen.groups & LOOKING_DOWN:
        seen.below_ids = sorted({person for _, person in posts} | {seen.person_id})


def grants(actor: Any, record: str, operation: str) -> list[Grant]:
    """The grants that let `actor` do `operation` (one of c r u d) on rows of `record`."""
    seen = sight(actor)
    if seen.is_admin:
        return [Grant("crud", "all")]
    found = table().records.get(record, {})
    return [g for name, g in found.items() if name in seen.groups and operation in g.can]


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
