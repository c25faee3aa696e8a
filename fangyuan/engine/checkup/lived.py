"""How the rules fared in the ledger: never used, never kept, due on days off, more than anybody can
do, owed by nobody. Set-based sums over the tallies, one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from fangyuan.core import spans
from fangyuan.engine import compile as compiler
from fangyuan.engine.checkup import bound
from fangyuan.engine.checkup.flaws import BAD, DRAFT, LIST, NOTE, POSTS, TEAMS, WARN, Flaw
from fangyuan.engine.checkup.sheets import Line, Sheet
from fangyuan.engine.kinds import base

DAYS: Final = 90
FEW: Final = 10  # fewer duties say nothing about a rule
ALWAYS: Final = 0.9  # a make-up Sunday now and then changes nothing
NEVER: Final = 0.05  # a rate of compliance this low is none
PERIODS: Final = 3  # a cadence is judged after so many periods


@dataclass(frozen=True)
class Sums:
    """The duties of one rule over the last days."""

    met: int = 0
    missed: int = 0
    waived: int = 0
    open: int = 0
    nobody: int = 0
    day_off: int = 0
    all: int = 0


@dataclass(frozen=True)
class Load:
    """What people owed and did in the periods of one cadence."""

    people: int
    periods: int
    best: int
    typical: int
    beyond: int
    shares: int


def sums(today: date) -> dict[int, Sums]:
    """By rule: what fell due in the last days, and what is open."""
    since = today - timedelta(days=DAYS)
    with connection.cursor() as cursor:
        cursor.execute(compiler.template("lived").template, {"since": since, "today": today})
        return {rule: Sums(*(int(n or 0) for n in rest)) for rule, *rest in cursor.fetchall()}


def loads(rules: list[int], today: date) -> dict[int, Load]:
    """By cadence: how much people owe in a period, and the most that anybody ever did."""
    given: dict[str, Any] = {"rules": rules, "since": today - timedelta(days=DAYS), "today": today}
    with connection.cursor() as cursor:
        cursor.execute(compiler.template("load").template, given)
        return {rule: Load(*(int(n or 0) for n in rest)) for rule, *rest in cursor.fetchall()}


def every(sheets: Iterable[Sheet], today: date) -> Iterator[Flaw]:
    """All that the ledger says against the rules of these clauses."""
    rules = [rule for sheet in sheets for rule in sheet.rules if rule.gives_duties and rule.pk]
    counted = sums(today)
    cadences = [rule.pk for rule in rules if rule.kind == "CADENCE"]
    carried = loads(cadences, today) if cadences else {}
    for rule in rules:
        found = counted.get(rule.pk, Sums())
        if rule.pk in carried:
            yield from _too_many(rule, carried[rule.pk])
        yield from _unused(rule, found, today)
        yield from _broken(rule, found)
        yield from _day_off(rule, found)
        yield from _nobody(rule, found)


# Days of each period, to compare how much two cadences ask in a week.
_DAYS_OF: Final = {
    "day": 1.4,  # five of seven are worked
    "week": 7,
    "biweek": 14,
    "month": 30.4,
    "quarter": 91.3,
    "half-year": 182.6,
    "year": 365.25,
}


def tightened(sheets: Iterable[Sheet], today: date) -> Iterator[Flaw]:
    """Cadences that a draft makes denser than anybody has ever been, by what people did so far."""
    rules = [
        rule
        for sheet in sheets
        for rule in sheet.rules
        if rule.kind == "CADENCE"
        and rule.pk
        and rule.was
        and _pace(rule.params) > _pace(rule.was[-1])
    ]
    found = loads([rule.pk for rule in rules], today) if rules else {}
    for rule in rules:
        load, before = found.get(rule.pk), rule.was[-1]
        if load is None or load.people < 2:
            continue
        asked, best = load.typical * _pace(rule.params), load.best * _pace(before)
        if asked <= best:
            continue
        figures = (
            ("每人名下", f"{load.typical} 个对象"),
            ("每人每周要办", f"{asked:.1f} 次"),
            ("近 90 天有人办到过最多", f"每周 {best:.1f} 次"),
            ("涉及", f"{load.people} 人"),
        )
        why = "按现在每人名下的对象数，一半以上的人每周要办的会超过任何人办到过的最多"
        yield Flaw("TOO_MANY", WARN, rule.number, why, detail=f"draft:{rule.line}", figures=figures)


def _pace(params: dict[str, Any]) -> float:
    """How many times in a week a cadence asks for something."""
    return float(params.get("at_least", 1)) * 7 / _DAYS_OF[params["per"]]


def _unused(rule: Line, found: Sums, today: date) -> Iterator[Flaw]:
    is_old = rule.starts_at is None or spans.day_of(rule.starts_at) < today - timedelta(days=DAYS)
    if is_old and rule.record not in bound.MADE and not found.all and not found.open:
        yield Flaw(
            "UNUSED",
            NOTE,
            rule.number,
            f"近 {DAYS} 天没有一件事归它管：{_said(rule)}。"
            "可能是范围写得太窄，也可能没人再做这类事",
            detail=str(rule.line),
            figures=(("近 90 天义务", "0 件"),),
        )


def _said(rule: Line) -> str:
    return rule.read.sentence() if rule.read is not None else ""


def _broken(rule: Line, found: Sums) -> Iterator[Flaw]:
    due = found.met + found.missed
    if due >= FEW and found.met <= NEVER * due:
        why = "规则几乎没有人做到过：要么要求不切实际，要么没有人知道，要么记录的办法不对"
        figures = (
            ("近 90 天到期", f"{due} 件"),
            ("按时", f"{found.met} 件"),
            ("守规率", f"{found.met / due:.1%}"),
            ("豁免", f"{found.waived} 件"),
        )
        yield Flaw("BROKEN", BAD, rule.number, why, detail=str(rule.line), figures=figures)


def _day_off(rule: Line, found: Sums) -> Iterator[Flaw]:
    number = found.all + found.open
    if number < FEW or found.day_off < ALWAYS * number:
        return
    is_week = rule.params.get("per") in ("week", "biweek") and not rule.params.get("due")
    why = "按周计的义务到周日 24:00 到期，" if is_week else "到期时刻"
    why += "几乎都落在休息日，真正能办的最后一天是前一个工作日。请在条文里写明到哪一天"
    figures = (("到期义务", f"{number} 件"), ("在休息日", f"{found.day_off} 件"))
    severity = NOTE if is_week else WARN
    yield Flaw("DAY_OFF", severity, rule.number, why, detail=str(rule.line), figures=figures)


def _nobody(rule: Line, found: Sums) -> Iterator[Flaw]:
    number = found.all + found.open
    if not found.nobody or found.nobody < NEVER * number:
        return
    who = base.who_label(rule.read.model, str(rule.params.get("who", "owner"))) if rule.read else ""
    figures = (("义务", f"{number} 件"), ("没有人负责", f"{found.nobody} 件"))
    yield Flaw(
        "NOBODY",
        BAD if found.nobody == number else WARN,
        rule.number,
        f"责任人写的是{who}，有义务落不到人头上：没有人任这个岗，或对象没有负责人",
        detail=f"duties:{rule.line}",
        figures=figures,
        remedy=(LIST, TEAMS, POSTS, DRAFT),
    )


def _too_many(rule: Line, load: Load) -> Iterator[Flaw]:
    if load.periods < PERIODS or load.people < 2 or load.typical <= max(load.best, 1):
        return
    per = spans.PeriodKind(rule.params["per"]).label
    times = rule.params.get("at_least", 1)
    figures: tuple[Any, ...] = (
        (f"每人每{per}要办", f"{load.typical * times} 次"),
        ("有人办到过最多", f"{load.best * times} 次"),
        ("超出的人次", f"{load.beyond} / {load.shares}"),
        ("涉及", f"{load.people} 人"),
    )
    why = (
        f"每人名下的对象太多：一半以上的人每{per}要办的，比近 90 天里任何人一{per}办到过的还多。"
        "请放宽频率、缩小范围，或重新分配对象"
    )
    yield Flaw("TOO_MANY", BAD, rule.number, why, detail=str(rule.line), figures=figures)
