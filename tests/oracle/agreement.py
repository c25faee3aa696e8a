"""Comparing the engine's ledger with the oracle's duties, world by world, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from tests.oracle import (
    alerts,
    choices,
    histories,
    laying,
    loading,
    measured,
    oracle,
    world,
)
from tests.oracle.calendar_oracle import ZONE, Calendar
from tests.oracle.world import SHIPPED_FROM, World

measured.declare()
Key = tuple[Any, ...]
Stands = dict[str, Any]
LEDGER = """
SELECT rule_id, subject_type, subject_id, occurrence, person_id, began_on, due_at, met_at, state,
       coalesce((cause ->> 'told_late')::boolean, false),
       coalesce((cause ->> 'provisional')::boolean, false),
       cause ? 'gone'
  FROM engine_obligation
"""
RAISED = """
SELECT rule_id, subject_type, subject_id, raised_at, cleared_at, person_id, also_told
  FROM engine_alert WHERE removed_at IS NULL
"""


@dataclass
class Batch:
    """Worlds of one setting that lie side by side in the database."""

    setting: choices.Setting
    worlds: list[World]
    earlier: list[World] = field(default_factory=list)
    rules: dict[int, world.Rule] = field(default_factory=dict)
    made: loading.Load | None = None
    laid: loading.Load | None = None

    def lay(self) -> None:
        """Write everything into the product's tables."""
        self.laid, self.rules = laying.lay(self.setting)
        self.made = loading.load(self.worlds, SHIPPED_FROM)

    def resettle(self, setting: choices.Setting) -> None:
        """Turn the setting in the product's tables into this one."""
        assert self.laid is not None
        self.rules = laying.relay(self.laid, self.setting, setting)
        self.setting = setting

    def become(self, worlds: list[World]) -> None:
        """Turn the worlds in the product's tables into these."""
        assert self.made is not None
        loading.amend(self.made, self.worlds, worlds)
        self.worlds = worlds

    def expected(self, as_of: datetime) -> dict[Key, Stands]:
        """What the oracle says."""
        found: dict[Key, Stands] = {}
        for one in self.worlds:
            for duty in oracle.settle(histories.under(one, self.setting), as_of):
                key = (
                    duty.clause, duty.line, duty.version, duty.record, duty.key, duty.occurrence,
                )  # fmt: skip
                found[key] = {
                    "person": duty.person,
                    "began_on": duty.began_on,
                    "due_at": duty.due_at,
                    "met_at": duty.met_at,
                    "state": duty.state,
                    "told_late": duty.told_late,
                    "is_provisional": duty.is_provisional,
                }
        return found | self._warned(as_of)

    def _warned(self, as_of: datetime) -> dict[Key, Stands]:
        return {
            (one.clause, one.line, one.version, one.record, one.key, one.raised_at.isoformat()): {
                "cleared_at": one.cleared_at,
                "person": one.person,
                "also_told": one.also_told,
            }
            for world in self.worlds
            for one in alerts.episodes(histories.under(world, self.setting), as_of)
        }

    def found(self) -> dict[Key, Stands]:
        """What stands in the ledger; void rows that today's facts do not produce are left out."""
        assert self.made is not None
        pointers = {number: pointer for pointer, number in self.made.ids.items()}
        with connection.cursor() as cursor:
            cursor.execute(LEDGER)
            rows = cursor.fetchall()
            cursor.execute(RAISED)
            raised = dict(self._raised(pointers, row) for row in cursor)
        return dict(self._row(pointers, row) for row in rows if not row[-1]) | raised

    def _raised(self, pointers: dict[int, str], row: tuple[Any, ...]) -> tuple[Key, Stands]:
        rule = self.rules[row[0]]
        key = (rule.clause, rule.line, rule.version, row[1], _key(pointers, row[2]))
        told = [_key(pointers, one) for one in (row[5], *row[6]) if one is not None]
        person = told.pop(0) if row[5] is not None else None
        raised_at = row[3].astimezone(ZONE).isoformat()
        return (*key, raised_at), {
            "cleared_at": _local(row[4]),
            "person": person,
            "also_told": frozenset(told),
        }

    def _row(self, pointers: dict[int, str], row: tuple[Any, ...]) -> tuple[Key, Stands]:
        rule = self.rules[row[0]]
        person = None if row[4] is None else pointers[row[4]].removeprefix("person:")
        key = pointers[row[2]].partition(":")[2]
        return (rule.clause, rule.line, rule.version, row[1], key, row[3]), {
            "person": person,
            "began_on": row[5],
            "due_at": _local(row[6]),
            "met_at": _local(row[7]),
            "state": row[8].lower(),
            "told_late": row[9],
            "is_provisional": row[10],
        }


def _key(pointers: dict[int, str], number: int) -> str:
    return pointers[number].partition(":")[2]


def _local(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(ZONE)


def batch(seed: int, size: int, calendar: Calendar) -> Batch:
    """A setting with some worlds, from a seed, and these worlds as they stood before."""
    pick, other = choices.Dice(seed), choices.Dice(-seed)
    setting = histories.random_setting(pick, calendar)
    told = Batch(setting, [])
    for number in range(size):
        made = histories.random_world(pick, setting)
        told.worlds.append(world.renamed(made, f"w{number}-"))
        told.earlier.append(world.renamed(histories.earlier(other, setting, made), f"w{number}-"))
    return told


def differences(expected: dict[Key, Stands], found: dict[Key, Stands]) -> list[str]:
    """Every disagreement, in words; empty where oracle and engine agree."""
    return list(_differences(expected, found))


def _differences(expected: dict[Key, Stands], found: dict[Key, Stands]) -> Iterable[str]:
    for key in sorted(set(expected) | set(found)):
        if key not in found:
            yield f"{key}: the engine has no duty, the oracle {expected[key]}"
        elif key not in expected and found[key].get("state") != "void":
            # 17: up to void rows that today's facts do not produce.
            yield f"{key}: the oracle has no duty, the engine {found[key]}"
        elif key in expected and found[key] != expected[key]:
            yield f"{key}: " + "; ".join(
                f"{name}: oracle {wanted}, engine {found[key][name]}"
                for name, wanted in expected[key].items()
                if found[key][name] != wanted
            )
