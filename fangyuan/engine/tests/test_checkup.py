"""Each check of the rulebook finds what it is for, and keeps quiet where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection

from conftest import hire, local
from fangyuan import door
from fangyuan.core import calendar
from fangyuan.engine import checkup
from fangyuan.engine.checkup import bound, conflicts, lived, people, sheets, texts
from fangyuan.engine.models import Clause, Policy, Rule

VISITS = {"on": "ended_at", "until": "written_at", "within": "24h", "where": {"kind": "VISIT"}}
WEEKLY = {"event": "activity.ended_at", "via": "customer", "per": "week", "at_least": 1}
TODAY = date(2026, 11, 25)


def line(number: str = "T-1", **more: Any) -> sheets.Line:
    """A rule about visits, with other values where they are given."""
    kept = {"policy": "t", "line": 0, "kind": "DEADLINE", "record": "activity", "params": VISITS}
    return sheets.Line(number, **{**kept, **more})


def sheet(text: str, *rules: sheets.Line, number: str = "T-1") -> sheets.Sheet:
    """A clause that reads so and has these rules."""
    raw = tuple(
        {"bind": "rule", "kind": r.kind.lower(), "record": r.record, **r.params} for r in rules
    )
    return sheets.Sheet(number, "拜访记录", text, "t", raw, rules)


def marked(flaw: checkup.Flaw, text: str) -> list[str]:
    """The places of a text that a flaw marks."""
    return [piece for piece, is_marked in replace(flaw, text=text).pieces if is_marked]


# --- the words of a clause


def test_vague_words_are_marked_where_they_stand():
    text = "拜访结束后应及时录入，原则上不得迟于次日。"
    (flaw,) = texts.vague(sheet(text))
    assert marked(flaw, text) == ["及时", "原则上"]
    assert flaw.severity == "WARN"
    assert "也没有规则" in flaw.why
    (told,) = texts.vague(sheet(text, line()))
    assert told.severity == "NOTE"
    assert "24 小时" in told.why
    assert list(texts.vague(sheet("拜访结束后 24 小时内录入。"))) == []


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("须在拜访结束起 24 小时以内录入。", "24h"),
        ("须在三个工作日内答复。", "3wd"),
        ("二十四小时之内联系。", "24h"),
        ("须于 7 日内完成，每月 5 日前提交。", "7d"),
    ],
)
def test_spans_are_read_from_the_text(text, stated):
    assert [one.value for one in texts.spans_in(text)] == [stated]


def test_numbers_in_chinese_are_read():
    said = {"十": 10, "十二": 12, "二十": 20, "二十四": 24, "一百二十": 120, "两": 2}
    assert {word: texts.number_of(word) for word in said} == said


def test_a_text_that_still_states_the_old_number_is_stale():
    text = "拜访记录须在拜访结束起 24 小时以内录入系统。"
    now = line(params={**VISITS, "within": "12h"}, was=(VISITS,))
    (flaw,) = texts.stale(sheet(text, now))
    assert flaw.severity == "BAD"
    assert marked(flaw, text) == ["24 小时以内"]
    assert flaw.figures == (("条文", "24 小时以内"), ("规则", " 12 小时"))
    assert list(texts.stale(sheet(text, line()))) == []
    assert list(texts.stale(sheet(text.replace("24", "12"), now))) == []


def test_a_frequency_that_the_rule_does_not_keep_is_stale():
    monthly = line(kind="CADENCE", record="customer", params={**WEEKLY, "per": "month"})
    (flaw,) = texts.stale(sheet("重点客户每周至少拜访 1 次。", monthly))
    assert "每周" in flaw.why and "每月 1 次" in flaw.why
    weekly = line(kind="CADENCE", record="customer", params=WEEKLY)
    assert list(texts.stale(sheet("重点客户每周至少拜访 1 次。", weekly))) == []
    assert list(texts.stale(sheet("重点客户每周拜访。", weekly))) == []


def test_a_time_without_a_rule_is_told():
    (flaw,) = texts.unruled(sheet("接到投诉起 24 小时以内联系客户。"))
    assert "24 小时以内" in flaw.why
    assert list(texts.unruled(sheet("接到投诉起 24 小时以内联系客户。", line()))) == []


# --- rules against each other


def test_two_spans_for_one_event_contradict_each_other(db):
    twelve = line("T-2", params={**VISITS, "within": "12h"})
    (flaw,) = conflicts.every([sheet("", line()), sheet("", twelve, number="T-2")], TODAY)
    assert (flaw.code, flaw.severity, flaw.others) == ("CLASH", "BAD", ("T-2",))
    assert "24 小时" in flaw.why and "12 小时" in flaw.why
    calls = replace(twelve, params={**twelve.params, "where": {"kind": "CALL"}})
    assert list(conflicts.every([sheet("", line()), sheet("", calls)], TODAY)) == []


def test_two_owners_of_one_duty_are_told(db):
    boss = line("T-2", params={**VISITS, "who": "ka_manager"})
    (flaw,) = conflicts.every([sheet("", line()), sheet("", boss, number="T-2")], TODAY)
    assert flaw.code == "OWNERS"
    assert "负责人" in flaw.why


def test_two_gates_that_nothing_passes_are_told(db):
    gates = [
        line(number, kind="GATE", params={"on": "visit", "holds": {"kind": kind}})
        for number, kind in (("T-1", "VISIT"), ("T-2", "CALL"))
    ]
    (flaw,) = conflicts.every([sheet("", one) for one in gates], TODAY)
    assert (flaw.code, flaw.severity) == ("GATES", "BAD")


# --- what the ledger says


def tally(rule: int, day: str, state: str, number: int, person: int | None = 1) -> None:
    """So many duties of a rule due on a day in a state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engine_tally (rule_id, person_id, due_on, state, number)"
            " VALUES (%s, %s, %s, %s, %s)",
            [rule, person, day, state, number],
        )


@pytest.fixture
def days(db):
    """The working days laid out."""
    calendar.lay_out(calendar.stored())


def found(rule: sheets.Line) -> dict[str, checkup.Flaw]:
    """What the ledger says against one rule, by kind."""
    return {flaw.code: flaw for flaw in lived.every([sheet("", rule)], TODAY)}


def test_a_rule_that_was_never_kept_and_one_that_was_never_used(days):
    rule = line(pk=7, starts_at=local("2020-01-01 00:00"))
    assert set(found(rule)) == {"UNUSED"}
    tally(7, "2026-11-20", "BREACHED", 40)
    tally(7, "2026-11-20", "MET", 1)
    (flaw,) = found(rule).values()
    assert flaw.code == "BROKEN"
    assert ("近 90 天到期", "41 件") in flaw.figures and ("守规率", "2.4%") in flaw.figures
    tally(7, "2026-11-19", "MET", 60)
    assert found(rule) == {}


def test_a_new_rule_is_not_called_unused(days):
    assert found(line(pk=7, starts_at=local("2026-11-01 00:00"))) == {}


def test_a_due_time_that_is_always_on_a_day_off(days):
    rule = line(pk=7, starts_at=local("2020-01-01 00:00"))
    tally(7, "2026-11-22", "MET", 12)  # a Sunday
    assert found(rule)["DAY_OFF"].severity == "WARN"
    tally(7, "2026-11-20", "MET", 12, 2)
    assert "DAY_OFF" not in found(rule)


def test_a_cadence_that_nobody_can_keep(days):
    rule = line(kind="CADENCE", record="customer", params=WEEKLY, pk=7)
    for day in ("2026-11-06", "2026-11-13", "2026-11-20"):
        for person in (1, 2, 3):
            tally(7, day, "MET", 5, person)
            tally(7, day, "BREACHED", 40, person)
    flaw = found(rule)["TOO_MANY"]
    assert ("每人每周要办", "45 次") in flaw.figures and ("有人办到过最多", "5 次") in flaw.figures
    for person in (1, 2, 3):
        tally(7, "2026-11-18", "MET", 50, person)
    assert "TOO_MANY" not in found(rule)


def test_a_draft_that_asks_for_more_than_anybody_ever_did(days):
    monthly = {**WEEKLY, "per": "month"}
    for month in ("2026-09-30", "2026-10-31"):
        for person in (1, 2, 3):
            tally(7, month, "MET", 8, person)
    draft = line(kind="CADENCE", record="customer", params=WEEKLY, pk=7, was=(monthly,))
    (flaw,) = lived.tightened([sheet("", draft)], TODAY)
    assert ("每人每周要办", "8.0 次") in flaw.figures
    assert ("近 90 天有人办到过最多", "每周 1.8 次") in flaw.figures
    laxer = replace(draft, params=monthly, was=(WEEKLY,))
    assert list(lived.tightened([sheet("", laxer)], TODAY)) == []


def test_duties_that_nobody_owes(days):
    rule = line(pk=7, params={**VISITS, "who": "ka_manager"})
    tally(7, "2026-11-20", "BREACHED", 3, None)
    tally(7, "2026-11-20", "MET", 30)
    assert ("没有人负责", "3 件") in found(rule)["NOBODY"].figures


# --- who is there


def approved_by(who: Any) -> sheets.Sheet:
    params = {"on": "submit_plan", "approvers": [who]}
    return sheet("", line(kind="APPROVAL", record="plan", params=params))


def test_an_approver_that_is_nobody(company):
    assert list(people.every([approved_by("ka_manager")])) == []
    (flaw,) = people.every([approved_by("legal_dept")])
    assert (flaw.code, flaw.severity) == ("NOBODY", "BAD")  # no administrator either
    with door.acting(by=None, action="test") as deed:
        admin = hire(deed, "root", "管理员", "sales_rep", company.east, company.boss)
        type(admin)._base_manager.filter(pk=admin.pk).update(is_admin=True)
    assert next(people.every([approved_by("legal_dept")])).severity == "WARN"
    (flaw,) = people.every([approved_by({"who": "person", "login": "gone"})])
    assert "gone" in flaw.why
    assert list(people.every([approved_by({"who": "person", "login": "li"})])) == []


# --- what carries a clause


def test_clauses_without_anything_and_rules_that_no_clause_names():
    (flaw,) = bound.every([sheet("每个人都要诚信。")], None)
    assert (flaw.code, flaw.severity) == ("UNBOUND", "BAD")
    told = sheet("", line(params={**VISITS, "within": "72h"})).bindings
    (flaw,) = bound.every([replace(sheet("", line()), bindings=told)], None)
    assert flaw.code == "UNTOLD"
    (flaw, *_) = bound.every([replace(sheet(""), bindings=({"bind": "gate"},))], None)
    assert "看不懂" in flaw.why
    assert list(bound.every([sheet("", line())], {"T-1": True})) == []
    (flaw,) = bound.every([sheet("", line())], {})
    assert flaw.code == "UNPROVED"


# --- the whole, and drafts


@pytest.fixture
def policy(company):
    """A regulation of one clause whose text and rule agree."""
    with door.acting(by=None, action="test") as deed:
        made = deed.create(
            Policy,
            {"code": "t", "title": "拜访制度", "version": "1", "starts_on": date(2020, 1, 1),
             "stage": "PUBLISHED"},
        )  # fmt: skip
        raw = {"bind": "rule", "kind": "deadline", "record": "activity", **VISITS}
        clause = deed.create(
            Clause,
            {"policy": made, "number": "T-1", "title": "拜访记录", "area": "x", "kind": "deadline",
             "text": "拜访记录须在 24 小时内录入。", "bindings": [raw]},
        )  # fmt: skip
        Rule(
            clause=clause, kind="DEADLINE", record="activity", params=VISITS, policy=made,
            starts_at=local("2020-01-01 00:00"),
        ).save()  # fmt: skip
    return made


def test_a_draft_that_leaves_the_old_number_in_the_text_is_warned_of(policy):
    assert {flaw.code for flaw in checkup.look("t")} == {"UNUSED"}
    rule = {"kind": "DEADLINE", "record": "activity", "params": {**VISITS, "within": "12h"}}
    draft = Policy(code="t", changes={"T-1": {"rules": {"0": rule}}})
    (flaw,) = checkup.look_at(draft)
    assert (flaw.code, flaw.severity, flaw.clause) == ("STALE", "BAD", "T-1")
    text = {"text": "拜访记录须在 12 小时内录入。"}
    assert checkup.look_at(Policy(code="t", changes={"T-1": {**text, "rules": {"0": rule}}})) == []
    vague = {"T-1": {"text": "拜访记录须及时录入。"}}
    assert [one.code for one in checkup.look_at(Policy(code="t", changes=vague))] == ["VAGUE"]


def test_a_new_clause_of_a_draft_is_read_like_the_others(policy):
    new = {"title": "回访", "text": "成交后应尽快回访。"}
    draft = Policy(code="t", changes={"T-9": {"new": new}})
    found = {flaw.code: flaw for flaw in checkup.look_at(draft)}
    assert set(found) == {"UNBOUND", "VAGUE"}
    assert marked(found["VAGUE"], found["VAGUE"].text) == ["尽快"]
    rule = {"kind": "DEADLINE", "record": "activity", "params": {**VISITS, "within": "12h"}}
    draft.changes["T-9"] |= {"rules": {"0": rule}}
    assert {flaw.code for flaw in checkup.look_at(draft)} == {"CLASH", "VAGUE"}


def test_the_key_of_a_flaw_changes_with_what_is_wrong():
    flaw = next(texts.stale(sheet("须在 24 小时内。", line(params={**VISITS, "within": "12h"}))))
    other = next(texts.stale(sheet("须在 24 小时内。", line(params={**VISITS, "within": "8h"}))))
    assert flaw.key != other.key
