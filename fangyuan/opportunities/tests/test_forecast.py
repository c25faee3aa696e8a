"""The forecast: said weekly, rolled up, adjusted beside, kept in snapshots, judged afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from conftest import local, own
from fangyuan import door
from fangyuan.core import spans
from fangyuan.core.models import CalendarDay
from fangyuan.forms import seed
from fangyuan.forms.models import Response
from fangyuan.metrics.measure import Span, measure
from fangyuan.opportunities import forecast, forecast_metrics, pipelines, snapshots
from fangyuan.opportunities.models import Adjustment, Opportunity, Snapshot, Stage

NOVEMBER, DECEMBER = spans.period_of("month", date(2026, 11, 2)), date(2026, 12, 1)


@pytest.fixture
def planted(company):
    with door.acting(by=None, action="test") as deed:
        pipelines.plant(deed)
        seed.plant(deed)
    return company


def deal(company, owner, amount, expected_on, *, forecast="PIPELINE", win_rate=50, **more):
    """An opportunity with its figures, held by somebody."""
    values = {"name": f"项目{amount}", "customer": company.customer, "amount": Decimal(amount)}
    values |= {"expected_on": expected_on, "forecast": forecast, "win_rate": win_rate, **more}
    with door.acting(by=None, action="test") as deed:
        made = deed.create(Opportunity, values)
        own(deed, made, owner, local("2026-01-05 09:00"))
    return made


def set_to(deal, **values):
    """Change a deal as the rules of this test want it, whatever a verb would demand."""
    Opportunity._base_manager.filter(pk=deal.pk)
    with door.acting(by=None, action="test") as deed:
        for name, value in values.items():
            setattr(deal, name, value)
        deed._save(deal, judged=False)


def test_a_word_changes_the_deal_and_counts_even_without_a_change(planted):
    one = deal(planted, planted.li, 100, date(2026, 12, 20))
    said = {"amount": Decimal(120), "expected_on": date(2026, 12, 28), "win_rate": Decimal(60)}
    door.act("update_forecast", one, by=planted.li, payload={**said, "tags": True})
    one.refresh_from_db()
    assert (one.amount, one.expected_on, one.win_rate) == (120, date(2026, 12, 28), 60)
    door.act("update_forecast", one, by=planted.li, payload=said)
    first, second = Response._base_manager.order_by("id")
    assert set(first.covers) == {*seed.FORECAST, *seed.CHANCE_TAGS} and first.verdict == "CHANGED"
    assert set(second.covers) == set(seed.FORECAST) and second.verdict == "SAME"


def test_a_word_without_one_of_the_three_figures_is_refused(planted):
    one = deal(planted, planted.li, 100, None)
    with pytest.raises(door.Refused) as refusal:
        door.act("update_forecast", one, by=planted.li)
    assert [unmet.field for unmet in refusal.value.unmet] == ["expected_on"]
    assert not Response._base_manager.exists()


def test_nobody_says_the_forecast_of_a_deal_that_is_not_theirs(planted):
    one = deal(planted, planted.li, 100, date(2026, 12, 20))
    with pytest.raises(door.Denied):
        door.act("update_forecast", one, by=planted.zhao)


def test_figures_roll_up_along_the_teams(planted):
    day = date(2026, 11, 10)
    deal(planted, planted.li, 100, date(2026, 11, 20), forecast="COMMIT")
    deal(planted, planted.li, 40, date(2026, 12, 20), forecast="BEST")
    deal(planted, planted.zhao, 30, date(2026, 11, 25), win_rate=10)
    deal(planted, planted.zhao, 7, date(2026, 11, 25), forecast="OMITTED")
    deal(planted, planted.zhao, 5, date(2026, 10, 25))
    set_to(
        deal(planted, planted.zhao, 60, date(2026, 11, 5)),
        outcome="WON", closed_at=local("2026-11-04 10:00"),
    )  # fmt: skip
    told = forecast.forecast(planted.boss, "month", day)
    november = told.top.of(str(NOVEMBER.first))
    assert november.amounts == {"COMMIT": 100, "PIPELINE": 30, "OMITTED": 7, "WON": 60}
    assert november.weighted == 50 + 3 + 60 and november.own == 160
    ka, east = (told.nodes[("team", team.pk)] for team in (planted.ka, planted.east))
    assert ka.of(str(DECEMBER)).amounts == {"BEST": 40}
    assert east.of(str(NOVEMBER.first)).own == 60
    assert told.top.of(forecast.LATE).amounts == {"PIPELINE": 5}


def test_nobody_rolls_up_what_they_may_not_see(planted):
    deal(planted, planted.li, 100, date(2026, 11, 20))
    deal(planted, planted.zhao, 30, date(2026, 11, 25))
    told = forecast.forecast(planted.zhao, "month", date(2026, 11, 10))
    assert told.top.of(str(NOVEMBER.first)).amounts == {"PIPELINE": 30}


def test_a_managers_figure_stands_beside_the_reps_own(planted):
    one = deal(planted, planted.li, 100, date(2026, 11, 20), forecast="COMMIT")
    values = {"person": planted.li, "month": NOVEMBER.first, "author": planted.wang}
    values["own_amount"] = Decimal(100)
    for amount in (70, 80):
        door.create(
            Adjustment, {**values, "amount": Decimal(amount), "reason": "会推迟"}, by=planted.wang
        )
    told = forecast.forecast(planted.boss, "month", date(2026, 11, 10))
    li = told.nodes[("person", planted.li.pk)]
    assert told.expected(li, NOVEMBER.first) == 80
    assert told.expected(told.top, NOVEMBER.first) == 80
    assert li.of(str(NOVEMBER.first)).own == 100
    one.refresh_from_db()
    assert one.amount == 100 and Adjustment._base_manager.count() == 2


def test_snapshots_are_taken_weekly_and_from_the_first_working_day_of_a_month(planted):
    deal(planted, planted.li, 100, date(2026, 11, 20))
    with door.acting(by=None, action="test") as deed:
        deed.create(
            CalendarDay,
            {"on": date(2026, 11, 2), "is_working": False, "name": "样例",
             "calendar_version": "company", "is_published": True},
        )  # fmt: skip
    span = [date(2026, 10, 26) + timedelta(days=n) for n in range(18)]
    taken = {day: snapshots.take(day) for day in span}
    days = Snapshot._base_manager.order_by("taken_on").values_list("taken_on", "is_opening")
    # 3 November is the first working day here; on 26 October too much was known of October.
    assert [day for day, number in taken.items() if number] == [day for day, _ in days]
    assert [str(day) for day, is_opening in days] == [
        "2026-10-26", "2026-11-02", "2026-11-03", "2026-11-09",
    ]  # fmt: skip
    assert [str(day) for day, is_opening in days if is_opening] == ["2026-11-03"]


def kept(day, *, is_opening=False):
    """Take the snapshot of a day whatever is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            snapshots.SQL.read_text(encoding="utf-8"), {"day": day, "is_opening": is_opening}
        )


def test_the_bridge_tells_what_became_of_every_deal_and_adds_up(planted):
    names = ("grown", "shrunk", "out", "lost", "won", "same", "in")
    day = date(2026, 11, 9)
    rows = {name: deal(planted, planted.li, 100, date(2026, 11, 20)) for name in names}
    set_to(rows["in"], expected_on=date(2026, 12, 5))
    kept(day)
    closed = {"closed_at": local("2026-11-12 10:00")}
    set_to(rows["grown"], amount=Decimal(130))
    set_to(rows["shrunk"], amount=Decimal(80))
    set_to(rows["out"], expected_on=date(2026, 12, 5))
    set_to(rows["lost"], outcome="DROPPED", **closed)
    set_to(rows["won"], outcome="WON", **closed)
    set_to(rows["in"], expected_on=date(2026, 11, 28))
    deal(planted, planted.li, 50, date(2026, 11, 30))
    told = forecast.bridge(planted.boss, NOVEMBER, day, None)
    assert told.start == 600 and told.end == 130 + 80 + 100 + 100 + 50
    assert dict(told.steps) == {
        "NEW": (1, 50), "IN": (1, 100), "GROWN": (1, 30), "SHRUNK": (1, -20),
        "OUT": (1, -100), "LOST": (1, -100), "WON": (1, -100),
    }  # fmt: skip
    assert told.start + sum(moved for _, moved in told.steps.values()) == told.end
    assert forecast.bridge(planted.boss, NOVEMBER, day, [planted.zhao.pk]).start == 0


def test_accuracy_is_one_less_the_miss(planted):
    """PS-1.1b: 110 expected at the month's beginning, 100 signed: 90 %."""
    one = deal(planted, planted.li, 220, date(2026, 11, 20), win_rate=50)
    kept(date(2026, 11, 2), is_opening=True)
    set_to(one, amount=Decimal(100), outcome="WON", closed_at=local("2026-11-18 10:00"))
    span = Span(date(2026, 11, 1), date(2026, 12, 1))
    found = measure(forecast_metrics.forecast_amount, actor=planted.boss, span=span)
    assert found[()] == 110 and forecast_metrics.near(found[()], 100) == pytest.approx(0.9)
    [month] = forecast.months(planted.boss, date(2026, 11, 25), None)
    assert month.right(month.weighted) == pytest.approx(0.9)
    assert (month.weighted, month.won) == (110, 100)


def test_chances_are_compared_with_what_came_of_the_deals(planted):
    closed = {"closed_at": timezone.now() - timedelta(days=3)}
    for owner, outcome in ((planted.li, "WON"), (planted.li, "DROPPED"), (planted.zhao, "DROPPED")):
        set_to(deal(planted, owner, 10, None), outcome=outcome, **closed)
    first = Stage._base_manager.get(pipeline_id="pipeline:s1s7", code="S2")
    since = timezone.localdate() - timedelta(days=100)
    told = forecast.odds(planted.boss, since, [planted.li.pk])[first.pk]
    assert (told.ended, told.won, told.own_ended, told.own_won) == (3, 1, 2, 1)
    assert told.rate == pytest.approx(1 / 3) and told.own_rate == 0.5


def test_a_snapshot_is_never_changed_by_the_application(planted):
    deal(planted, planted.li, 100, date(2026, 11, 20))
    kept(date(2026, 11, 9))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('fangyuan_app', 'opportunities_snapshot', 'UPDATE')"
        )
        assert cursor.fetchone() == (False,)
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE fangyuan_app")
        cursor.execute("DELETE FROM opportunities_snapshot")
