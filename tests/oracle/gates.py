"""Gates with debts as ENGINE.md says it: which step is refused to which record, judged on the rows.

20: a debt that is not due lets its record pass its one gate; overdue it closes every gate on that
record until it is paid.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from fangyuan.customers.models import Customer
from fangyuan.engine import gates
from fangyuan.engine.models import Debt
from tests.oracle import facts
from tests.oracle.choices import Setting
from tests.oracle.facts import View
from tests.oracle.loading import Load
from tests.oracle.world import Record, World

# As many records are asked about as one deed may well hold.
MOST = 40


def compared(
    worlds: list[World], setting: Setting, as_of: datetime, made: Load
) -> tuple[int, list[str]]:
    """For some customers, on account of which clauses the step is refused: how many were asked
    about, and where the product says something else.

    What stands in the rows counts, as it does for whoever takes a step now: also what was entered
    after the instant; only a due time is compared with it.
    """
    pairs = ((world, record) for world in worlds for record in _customers(world))
    asked = list(islice(pairs, MOST))
    found = _refused([record for _, record in asked], as_of, made)
    wrong = []
    for world, record in asked:
        wanted = refusals(world, setting, record, as_of)
        if wanted != found[record.key]:
            wrong.append(f"gates of {record.key}: oracle {wanted}, engine {found[record.key]}")
    return len(asked), wrong


def _refused(records: list[Record], as_of: datetime, made: Load) -> dict[str, set[str]]:
    """What the product's gates say."""
    keys = {made.ids[record.pointer]: record.key for record in records}
    steps = {("customer", number): {"step"} for number in keys}
    book = gates.Book()
    unmet = gates.unmet(Customer, list(keys), steps=steps, at=as_of, book=book)
    owed = dict(Debt._base_manager.values_list("pk", "subject_id"))
    found: dict[str, set[str]] = {key: set() for key in keys.values()}
    for one in gates.settle_debts(unmet, steps, at=as_of, book=book):
        subject = owed[one.subject_id] if one.record == "debt" else one.subject_id
        found[keys[subject]].add(one.clause)
    return found


def _customers(world: World) -> list[Record]:
    return [one for one in world.records if one.type == "customer" and one.removed_at is None]


def refusals(world: World, setting: Setting, record: Record, as_of: datetime) -> set[str]:
    """The clauses on account of which a step is refused to a record at an instant."""
    owed = [
        one
        for one in world.records
        if one.type == "debt"
        and one.facts["subject"] == record.pointer
        and one.removed_at is None
        and one.facts["paid_at"] is None
    ]
    passed = {one.facts["clause"] for one in owed if as_of < one.facts["due_at"]}
    found = {one.facts["clause"] for one in owed if one.facts["due_at"] <= as_of}
    for rule in setting.rules:
        if rule.params["kind"] == "gate" and rule.in_force(as_of) and rule.clause not in passed:
            if _lacks(world, record, rule.params):
                found.add(rule.clause)
    return found


def _lacks(world: World, record: Record, params: dict[str, dict[str, object]]) -> bool:
    """Whether a record in the gate's scope does not have what the gate demands."""
    now = Record("row", record.key, record.recorded_at, dict.fromkeys(FIELDS) | record.facts)
    now.facts["is_ka"] = bool(now.facts["is_ka"])
    if not now.facts["is_ka"]:
        now.facts["ka_tier"] = None
    far = max(record.recorded_at, record.facts["learned_at"], *_instants(record))
    view = View(World(), far)
    return facts.holds(view, now, params["where"], far) and not facts.holds(
        view, now, params["holds"], far
    )


FIELDS = ("grade", "is_ka", "ka_tier", "lost_at")


def _instants(record: Record) -> list[datetime]:
    return [value for value in record.facts.values() if isinstance(value, datetime)]
