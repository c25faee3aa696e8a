"""A replay of the rule in force is the ledger; one of a tighter rule flips what a hand counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from fangyuan import door
from fangyuan.core import spans
from fangyuan.engine import models, reminders, rulebook, sweep
from fangyuan.engine.revision import drafts, replay, replays
from fangyuan.org.models import Message
from tests.oracle import agreement
from tests.oracle.calendar_oracle import read_public
from tests.versions.conftest import drafted, tried

HOLIDAYS = Path(__file__).parents[2] / "fangyuan/core/data/holidays.csv"
WRITTEN = """
SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_all_tables
 WHERE schemaname = 'public'"""


def in_force(rule: models.Rule, as_of: Any) -> tuple[drafts.Trial, replay.Asked]:
    """A rule as a draft of itself, over the days it was in force."""
    places = models.Rule._base_manager.filter(clause__number=rule.clause.number, line=rule.line)
    trial = drafts.Trial(
        rule.clause.number, rule.line, rule.kind, rule.record, rule, rule.params,
        list(places.values_list("pk", flat=True)),
    )  # fmt: skip
    last = spans.day_of((rule.ends_at or as_of) - timedelta(microseconds=1))
    return trial, replay.Asked(spans.day_of(rule.starts_at), last, as_of)


def _ends_with_a_day(rule: models.Rule) -> bool:
    """A replay asks for whole days; a version that ends within one is not all that it counts."""
    return rule.ends_at is None or spans.midnight(spans.day_of(rule.ends_at)) == rule.ends_at


@pytest.mark.parametrize("seed", [3, 8])
def test_a_replay_of_the_rule_in_force_is_the_ledger(db: None, seed: int) -> None:
    told = agreement.batch(seed, 6, read_public(HOLIDAYS))
    told.lay()
    as_of = told.setting.as_of[-1]
    sweep.sweep(as_of)
    duties, judged = 0, []
    for rule in rulebook.duties():
        if not _ends_with_a_day(rule):
            continue
        judged.append(rule.pk)
        trial, asked = in_force(rule, as_of)
        found = replay.told(replay.replay([trial], asked))
        assert found["before"] == found["after"], rule
        assert set(found["flips"].values()) == {0}, rule
        assert found["cases"] == []
        duties += found["after"]["duties"]
    begun = models.Obligation._base_manager.filter(rule__in=judged, began_at__lt=as_of)
    begun = begun.exclude(state="VOID")
    assert duties == begun.count() > 50


def test_a_tighter_rule_catches_exactly_what_took_longer(company: Any, visits: Any) -> None:
    today = timezone.localdate()
    found = tried(drafted(company, "12h"), today - timedelta(days=30), today)
    assert (found["before"]["missed"], found["after"]["missed"]) == (1, 4)
    assert found["flips"] == {"caught": 3, "cleared": 0, "added": 0, "dropped": 0}
    caught = {case["subject_id"] for case in found["cases"]}
    assert caught == {visits[hours].pk for hours in (12.1, 23.0, 71.0)}
    [person] = found["people"]
    assert (person["person"], person["team"], person["caught"]) == ("li", "KA团队", 3)
    assert [team["caught"] for team in found["teams"]] == [3]
    points = {point["value"]: point["missed"] for point in found["curve"]}
    assert points["12h"] == 4
    assert points["72h"] == 1
    assert points["24h"] == 2


def test_only_a_department_is_asked_for(company: Any, visits: Any) -> None:
    today = timezone.localdate()
    span = (today - timedelta(days=30), today)
    assert tried(drafted(company, "12h"), *span, company.ka)["flips"]["caught"] == 3
    assert tried(drafted(company, "12h"), *span, company.east)["after"]["duties"] == 0


def test_a_replay_writes_nothing_and_could_not(company: Any, visits: Any) -> None:
    today = timezone.localdate()
    asked = replay.Asked(today - timedelta(days=30), today, timezone.now())
    trials = drafts.trials(drafted(company, "12h"))
    before = _written()
    assert replay.told(replay.replay(trials, asked))["flips"]["caught"] == 3
    assert _written() == before
    with pytest.raises(Error, match="read-only"), transaction.atomic(), replay.dry() as cursor:
        cursor.execute("UPDATE engine_tally SET number = 0")


def _written() -> int:
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return int(cursor.fetchone()[0])


def test_a_draft_beside_the_rule_has_figures_and_no_consequences(company: Any, visits: Any) -> None:
    draft = drafted(company, "1h")
    duties = list(models.Obligation._base_manager.order_by("pk").values())
    with door.acting(by=company.qian, action="shadow"):
        replays.start_shadow(draft, team=company.ka, at=timezone.now() - timedelta(days=30))
    replays.run_waiting()
    sweep.sweep()
    reminders.send(timezone.now())
    shadow = models.Replay._base_manager.get(policy=draft, is_shadow=True)
    assert shadow.result["after"]["missed"] == 6
    assert list(models.Obligation._base_manager.order_by("pk").values()) == duties
    assert not Message._base_manager.exists()
    draft.refresh_from_db()
    assert draft.stage == "DRAFT"
    with door.acting(by=company.qian, action="shadow"):
        replays.stop_shadow(draft)
    replays.run_waiting()
    assert not models.Replay._base_manager.filter(is_shadow=True).exists()
