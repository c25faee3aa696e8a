"""Demands that contradict each other: two spans, two people or two gates for one and the same."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from datetime import date
from typing import Any, Final

from django.db import connection

from fangyuan.core import spans
from fangyuan.engine.checkup.flaws import BAD, NOTE, WARN, Flaw
from fangyuan.engine.checkup.sheets import Line, Sheet
from fangyuan.engine.kinds import base

Pair = tuple[Line, Line]
# Records of the last 90 days about which both rules of a pair gave duties, and to two people.
_SHARED: Final = """
WITH owed AS MATERIALIZED (
  SELECT DISTINCT rule_id, subject_id, person_id FROM engine_obligation
   WHERE rule_id = ANY (%(all)s) AND began_on >= %(since)s AND state <> 'VOID'
)
SELECT p.nth, count(DISTINCT a.subject_id),
       count(DISTINCT a.subject_id) FILTER (WHERE a.person_id IS DISTINCT FROM b.person_id)
  FROM unnest(%(ones)s::bigint[], %(others)s::bigint[]) WITH ORDINALITY AS p (one, other, nth)
  JOIN owed a ON a.rule_id = p.one
  JOIN owed b ON b.rule_id = p.other AND b.subject_id = a.subject_id
 GROUP BY p.nth
"""


def every(sheets: Iterable[Sheet], since: date) -> Iterator[Flaw]:
    """All contradictions among the rules of these clauses."""
    rules = [rule for sheet in sheets for rule in sheet.rules]
    pairs = [pair for pair in _pairs(rules, _event) if _differ(*map(_wants, pair))]
    owners = [pair for pair in _pairs(rules, _event) if _who(pair[0]) != _who(pair[1])]
    shared = _shared([*pairs, *owners], since)
    for pair in pairs:
        if _matters(pair, shared):
            yield _clash(pair, shared.get(_numbers(pair), (0, 0))[0])
    for pair in owners:
        if _matters(pair, shared):
            yield _owners(pair, shared.get(_numbers(pair), (0, 0)))
    yield from _gates(rules)


def _event(rule: Line) -> Hashable:
    """What the rule is about; rules with the same answer speak of one and the same thing."""
    said = rule.params
    if rule.kind == "DEADLINE":
        return rule.kind, rule.record, said["on"], said["until"]
    if rule.kind == "CADENCE":
        return rule.kind, rule.record, said["event"], said["via"], repr(said.get("when"))
    return None


def _pairs(rules: Iterable[Line], about: Any) -> list[Pair]:
    groups: dict[Hashable, list[Line]] = defaultdict(list)
    for rule in rules:
        if (key := about(rule)) is not None:
            groups[key].append(rule)
    return [
        (one, other)
        for group in groups.values()
        for one, other in itertools.combinations(group, 2)
        if may_meet(one.params.get("where", {}), other.params.get("where", {}))
    ]


def may_meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a record could meet both conditions; only plain values can tell that it cannot."""
    for name in {*one} & {*other}:
        first, second = _values(one[name]), _values(other[name])
        if first is not None and second is not None and not first & second:
            return False
    return True


def _values(wanted: Any) -> frozenset[Any] | None:
    if isinstance(wanted, list):
        return frozenset(map(str, wanted))
    return None if isinstance(wanted, dict) else frozenset({str(wanted)})


def _wants(rule: Line) -> tuple[Any, ...]:
    said = rule.params
    if rule.kind == "CADENCE":
        return said["per"], said.get("at_least", 1)
    return said.get("within"), said.get("by")


def _differ(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two demands differ in kind alike; a span beside a day is kept by the earlier."""
    return one != other and all((a is None) == (b is None) for a, b in zip(one, other, strict=True))


def _who(rule: Line) -> str:
    return str(rule.params.get("who", "owner"))


def _numbers(pair: Pair) -> tuple[int, int]:
    return pair[0].pk, pair[1].pk


def _matters(pair: Pair, shared: dict[tuple[int, int], tuple[int, int]]) -> bool:
    """Between two regulations only what did meet is worth a word."""
    one, other = pair
    return one.policy == other.policy or _numbers(pair) in shared


def _shared(pairs: list[Pair], since: date) -> dict[tuple[int, int], tuple[int, int]]:
    """About how many records both rules of each pair gave duties, and to two people."""
    known = [numbers for numbers in dict.fromkeys(map(_numbers, pairs)) if all(numbers)]
    if not known:
        return {}
    with connection.cursor() as cursor:
        ones, others = zip(*known, strict=True)
        both = {"ones": list(ones), "others": list(others), "all": [*ones, *others]}
        cursor.execute(_SHARED, {**both, "since": since})
        return {known[nth - 1]: (number, apart) for nth, number, apart in cursor.fetchall()}


def _severity(pair: Pair) -> str:
    """Within one regulation it is a mistake; between two each is judged on its own."""
    one, other = pair
    if one.policy != other.policy:
        return NOTE
    return BAD if one.params.get("where") == other.params.get("where") else WARN


def _clash(pair: Pair, shared: int) -> Flaw:
    one, other = pair
    said = [_demand(rule) for rule in pair]
    why = f"{one.number} 要求{said[0]}，{other.number} 要求{said[1]}，管的是同一件事"
    why += "" if one.policy == other.policy else "。各按各的判定，本人先看到严的那个"
    return Flaw(
        "CLASH",
        _severity(pair),
        one.number,
        why,
        detail=f"{other.number}:{said[0]}≠{said[1]}",
        figures=(("近 90 天同时管到", f"{shared} 个对象"),),
        others=(other.number,),
    )


def _demand(rule: Line) -> str:
    said = rule.params
    if rule.kind == "CADENCE":
        return f"每{spans.PeriodKind(said['per']).label} {said.get('at_least', 1)} 次"
    if said.get("within"):
        return f" {spans.parse(said['within']).label}内"
    read = rule.read
    return f"“{base.moment_label(read.model, said['by'])}”前" if read else str(said.get("by"))


def _owners(pair: Pair, shared: tuple[int, int]) -> Flaw:
    one, other = pair
    names = [base.who_label(rule.read.model, _who(rule)) if rule.read else "" for rule in pair]
    return Flaw(
        "OWNERS",
        _severity(pair),
        one.number,
        f"{one.number} 找{names[0]}，{other.number} 找{names[1]}，办的是同一件事，容易互相等",
        detail=f"{other.number}:{_who(one)}≠{_who(other)}",
        figures=(
            ("近 90 天同时管到", f"{shared[0]} 个对象"),
            ("落在两个人头上", f"{shared[1]} 个"),
        ),
        others=(other.number,),
    )


def _gates(rules: list[Line]) -> Iterator[Flaw]:
    """Two gates of one step that no record passes."""
    gates = [rule for rule in rules if rule.kind == "GATE"]
    for one, other in _pairs(gates, lambda rule: (rule.record, rule.params["on"])):
        if not may_meet(one.params["holds"], other.params["holds"]):
            said = [r.read.sentence() for r in (one, other) if r.read is not None]
            yield Flaw(
                "GATES",
                BAD,
                one.number,
                "；".join(said) + "。两个条件不能同时成立",
                detail=other.number,
                others=(other.number,),
            )
