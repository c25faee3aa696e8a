"""The way of an opportunity: where it begins, its history, what the exits demand, the ends."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from conftest import term
from fangyuan import door
from fangyuan.customers import holding
from fangyuan.engine.models import Clause, Policy, Rule
from fangyuan.opportunities import exits, pipelines
from fangyuan.opportunities.models import Need, Opportunity, Stage, StageEntry

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


@pytest.fixture
def planted(company):
    """The shipped pipelines."""
    for code in ("s1s7", "articles", "journey", "ka"):
        term("pipeline", code)
    with door.acting(by=None, action="test") as deed:
        pipelines.plant(deed)
    return company


@pytest.fixture
def project(planted):
    """小李's opportunity, fresh."""
    values = {"name": "二期检测线", "customer": planted.customer, "amount": Decimal(1680000)}
    with door.acting(by=planted.li, action="test") as deed:
        made = deed.create(Opportunity, values)
        holding.hand_to(made, planted.li, at=deed.at)
    return Opportunity._base_manager.get(pk=made.pk)


def gate(code, **holds):
    """Put the exit of one stage under a clause."""
    with door.acting(by=None, action="test") as deed:
        policy = deed.create(
            Policy, {"code": "flow", "title": "流程", "version": "1", "stage": "PUBLISHED"}
        )
        values = {"policy": policy, "number": "T-1", "title": "出口", "text": "出口"}
        clause = deed.create(Clause, {**values, "area": "x", "kind": "gate"})
        params = {"kind": "gate", "record": "opportunity", "on": "advance", "holds": holds}
        params["where"] = {"pipeline": "s1s7", "left.code": code}
        values = {"clause": clause, "kind": "GATE", "record": "opportunity", "params": params}
        deed.create(Rule, values, starts_at=LONG_AGO)


def fresh(project):
    return Opportunity._base_manager.get(pk=project.pk)


def history(project):
    rows = StageEntry._base_manager.filter(subject_type="opportunity", subject_id=project.pk)
    return [(e.stage.code, e.left_at is None) for e in rows.order_by("entered_at")]


def test_an_opportunity_begins_where_its_pipeline_lets_it(project):
    assert project.stage.code == "S2" and project.win_rate == 20
    assert history(project) == [("S2", True)]


def test_planting_again_adds_nothing(planted):
    before = Stage._base_manager.count()
    with door.acting(by=None, action="test") as deed:
        pipelines.plant(deed)
    assert Stage._base_manager.count() == before


def test_going_on_and_back_is_kept_in_the_history(project, planted):
    door.act("advance", project, by=planted.li)
    door.act("step_back", fresh(project), by=planted.li, payload={"strategy": "先补需求"})
    assert fresh(project).stage.code == "S2"
    assert history(project) == [("S2", False), ("S3", False), ("S2", True)]


def test_an_exit_stays_shut_until_all_of_it_holds(project, planted):
    gate("S2", real_need={"not_empty": True}, needs_count={"at_least": 1})
    with pytest.raises(door.Refused) as refusal:
        door.act("advance", project, by=planted.li)
    assert {one.field for one in refusal.value.unmet} == {"real_need", "needs_count"}
    assert history(project) == [("S2", True)]
    door.change(fresh(project), {"real_need": "漏检率降一半"}, by=planted.li)
    shown = exits.of([fresh(project)])[project.pk]
    assert [(one.field, one.is_met) for one in shown] == [
        ("real_need", True),
        ("needs_count", False),
    ]
    values = {"customer": planted.customer, "opportunity": project, "kind": "PAIN", "text": "漏检"}
    door.create(Need, values, by=planted.li)
    door.act("advance", fresh(project), by=planted.li)
    assert fresh(project).stage.code == "S3"


def test_the_gate_of_one_stage_leaves_the_others_open(project, planted):
    gate("S4", real_need={"not_empty": True})
    assert exits.of([project])[project.pk] == []
    door.act("advance", project, by=planted.li)
    assert fresh(project).stage.code == "S3"


def test_a_stage_is_not_skipped_and_all_that_lies_between_is_told(project, planted):
    gate("S3", feasibility="FEASIBLE")
    to = Stage._base_manager.get(pipeline_id="pipeline:s1s7", code="S5")
    with pytest.raises(door.Refused) as refusal:
        door.act("move_opportunity", project, by=planted.li, payload={"stage": to})
    said = [one.sentence for one in refusal.value.unmet]
    assert "S3、S4" in said[0] and said[1].startswith("S3：") and "可行性" in said[1]


def test_a_loss_wants_a_reason_and_ends_the_way(project, planted):
    with pytest.raises(door.Refused):
        door.act("lose", project, by=planted.li, payload={"loss_reason": None})
    reason = term("loss_reason", "PRICE")
    door.act("lose", project, by=planted.li, payload={"loss_reason": reason, "loss_note": "低价"})
    lost = fresh(project)
    assert (lost.outcome, lost.win_rate) == ("LOST", 0) and lost.closed_at
    with pytest.raises(door.Denied):
        door.act("advance", lost, by=planted.li)
    door.act("reopen", lost, by=planted.li)
    assert fresh(project).outcome == "OPEN" and fresh(project).stage.code == "S2"


def test_a_pipeline_is_changed_once_to_the_stage_with_the_same_tag(project, planted):
    door.act("advance", project, by=planted.li)
    journey = Stage._base_manager.filter(pipeline_id="pipeline:journey").first().pipeline
    door.act("change_pipeline", fresh(project), by=planted.li, payload={"pipeline": journey})
    moved = fresh(project)
    assert (moved.pipeline_id, moved.stage.code) == ("pipeline:journey", "J3")
    back = Stage._base_manager.filter(pipeline_id="pipeline:s1s7").first().pipeline
    with pytest.raises(door.Denied, match="只能换一次"):
        door.act("change_pipeline", moved, by=planted.li, payload={"pipeline": back})


def test_a_transfer_keeps_stage_history_and_children(project, planted):
    door.act("advance", project, by=planted.li)
    values = {"customer": planted.customer, "opportunity": project, "kind": "PAIN", "text": "漏检"}
    door.create(Need, values, by=planted.li)
    before = history(project)
    door.act(
        "transfer_opportunity", fresh(project), by=planted.wang, payload={"person": planted.zhao}
    )
    assert holding.held(project).person == planted.zhao
    assert fresh(project).stage.code == "S3" and history(project) == before
    assert Need._base_manager.filter(opportunity=project).count() == 1
