"""The metrics over opportunities, stages, targets: equal to hand-written queries, row by row.

A number, the rows that it opens, the list's export, and the sums of its parts are one and the same.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import hire, local, own, term
from fangyuan import door
from fangyuan.contracts.models import Quote, QuoteLine, Solution
from fangyuan.core.models import Term
from fangyuan.library.models import PriceList, Product
from fangyuan.metrics import declare, dimensions, drill, periods, targets
from fangyuan.metrics.declare import METRICS
from fangyuan.metrics.measure import Span, measure, measure_each, rows_of
from fangyuan.metrics.models import Reading, Target
from fangyuan.opportunities.models import Opportunity, Stage, StageEntry
from fangyuan.org.models import Holding, Membership
from fangyuan.site import metric_shapes

QUARTER = Span(date(2026, 4, 1), date(2026, 7, 1))
IN = "BETWEEN '2026-04-01 00:00+08' AND '2026-06-30 23:59:59.999999+08'"
OWN = "FROM opportunities_opportunity o WHERE o.removed_at IS NULL AND"
DAYS = (
    "(closed_at AT TIME ZONE 'Asia/Shanghai')::date"
    " - (coalesce(initiated_at, recorded_at) AT TIME ZONE 'Asia/Shanghai')::date"
)
ENTRY = (
    "FROM opportunities_stageentry e JOIN opportunities_stage s ON s.id = e.stage_id"
    " LEFT JOIN opportunities_stage t ON t.id = e.left_to_id WHERE e.removed_at IS NULL AND"
)
BY_HAND = {
    "won_count": f"SELECT count(*) {OWN} outcome = 'WON' AND closed_at {IN}",
    "won_amount": f"SELECT sum(amount) {OWN} outcome = 'WON' AND closed_at {IN}",
    "win_rate": f"SELECT avg((outcome = 'WON')::int) {OWN} outcome IN ('WON', 'LOST')"
    f" AND closed_at {IN}",
    "opportunity_conversion_rate": f"SELECT avg((outcome = 'WON')::int) {OWN} closed_at {IN}",
    "sales_cycle_days": f"SELECT avg({DAYS}) {OWN} outcome = 'WON' AND closed_at {IN}",
    "early_loss_rate": "SELECT avg((outcome IN ('LOST', 'DROPPED') AND s.seq < 4)::int)"
    f" FROM opportunities_opportunity o JOIN opportunities_stage s ON s.id = o.stage_id"
    f" WHERE o.removed_at IS NULL AND initiated_at {IN}",
    "win_conversion_rate": f"SELECT avg((outcome = 'WON')::int) {OWN} initiated_at {IN}",
    "opportunity_stage_conversion": f"SELECT avg((coalesce(t.seq, 0) > s.seq)::int) {ENTRY}"
    f" entered_at {IN}",
    "stage_velocity_days": "SELECT avg(round(extract(epoch FROM left_at - entered_at) / 86400, 4))"
    f" {ENTRY} left_at {IN}",
    "open_count": f"SELECT count(*) {OWN} outcome = 'OPEN'",
}
HOLDER = (
    "(SELECT person_id FROM org_holding h WHERE h.subject_type = 'opportunity'"
    " AND h.subject_id = o.id AND h.role = 'OWNER' AND h.removed_at IS NULL"
    " AND h.starts_at <= o.closed_at AND (h.ends_at IS NULL OR h.ends_at >= o.closed_at)"
    " ORDER BY h.starts_at LIMIT 1)"
)


@pytest.fixture
def deals(company):
    """Two hundred opportunities of two people and a third who took some over half-way."""
    luck, start = Random(5), local("2026-01-10 09:00")
    with door.acting(by=None, action="test", history=True) as deed:
        deed.create(Term, {"domain": "expense", "code": "TRAVEL", "label": "差旅"})
        sun = hire(deed, "sun", "小孙", "sales_rep", company.east, company.boss)
        stages = [
            deed.create(
                Stage,
                {
                    "pipeline": term("pipeline", "s1s7"),
                    "code": f"S{n}",
                    "name": f"阶段{n}",
                    "seq": n,
                }
                | {"stage_tag": "NEED", "is_creating": n == 2, "is_closing": n == 7},
            )
            for n in range(2, 8)
        ]
        rows = [_deal(luck, start, company, stages, n) for n in range(200)]
        made = Opportunity._base_manager.bulk_create(rows)
        since = start - timedelta(days=200)
        held = [Holding(person=(company.li, company.zhao)[n % 2]) for n in range(len(made))]
        for one, holding in zip(made, held, strict=True):
            holding.subject, holding.starts_at = one, since
        Holding._base_manager.bulk_create(held)
        told = [entry for one in made for entry in _entries(luck, one, stages)]
        StageEntry._base_manager.bulk_create(told)
        deed.remove(Opportunity._base_manager.get(pk=made[7].pk))
    return SimpleNamespace(**vars(company), sun=sun, rows=made, stages=stages)


def _deal(luck, start, company, stages, number):
    outcome = luck.choice(["OPEN", "WON", "WON", "LOST", "DROPPED"])
    began = start + timedelta(hours=luck.randint(0, 24 * 120))
    one = Opportunity(name=f"第{number}单", customer=company.customer, outcome=outcome)
    one.source, one.amount = term("source", luck.choice(["REFERRAL", "CALL"])), luck.randint(1, 99)
    one.initiated_at = began if luck.random() < 0.8 else None
    one.recorded_at, one.imported_at = began - timedelta(days=luck.randint(0, 9)), timezone.now()
    one.stage, one.pipeline = luck.choice(stages), stages[0].pipeline
    if outcome != "OPEN":
        one.closed_at = began + timedelta(hours=luck.randint(1, 24 * 90))
    if outcome == "LOST":
        one.loss_reason = term("loss_reason", "PRICE")
    one.index()
    return one


def _entries(luck, one, stages):
    at = one.recorded_at
    for place in range(luck.randint(1, 4)):
        left = at + timedelta(hours=luck.randint(1, 700))
        to = stages[max(0, place + luck.choice([1, 1, -1]))]
        entry = StageEntry(stage=stages[place], entered_at=at, left_at=left, left_to=to)
        entry.subject = one
        yield entry
        at = left


def asked(sql):
    """What the database says to a query written by hand."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_metrics_equal_the_queries_written_by_hand(deals):
    for name, sql in BY_HAND.items():
        [(by_hand,)] = asked(sql)
        measured = measure(METRICS[name], actor=deals.boss, span=QUARTER)[()]
        assert float(measured) == pytest.approx(float(by_hand), abs=1e-9), name
        assert by_hand, name


def test_many_metrics_at_once_are_the_same_in_fewer_queries(deals):
    wanted = [METRICS[name] for name in BY_HAND]
    with CaptureQueriesContext(connection) as caught:
        at_once = measure_each(wanted, actor=deals.boss, span=QUARTER)
    each = {one.name: measure(one, actor=deals.boss, span=QUARTER)[()] for one in wanted}
    assert at_once == each
    assert len(caught) <= 6


def test_people_and_teams_are_those_of_the_moment(deals):
    """What was won before a hand-over stays with whoever held it, in the team of that day."""
    over, moved = local("2026-05-16 12:00"), date(2026, 5, 1)
    with door.acting(by=None, action="test", history=True) as deed:
        for one in deals.rows[::2]:
            held = one.pk
            asked(
                f"UPDATE org_holding SET ends_at = '{over.isoformat()}'"
                f" WHERE subject_type = 'opportunity' AND subject_id = {held} RETURNING id"
            )
            own(deed, one, deals.sun, over)
        post = Membership._base_manager.get(person=deals.zhao)
        deed.change(post, ends_on=moved - timedelta(days=1))
        new = {"person": deals.zhao, "team": deals.ka, "position": term("position", "ka_rep")}
        deed.create(Membership, {**new, "starts_on": moved})
    by_person = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER, by=["person"])
    sql = f"SELECT {HOLDER}, count(*) {OWN} outcome = 'WON' AND closed_at {IN} GROUP BY 1"
    assert {key: n for (key,), n in by_person.items()} == dict(asked(sql))
    assert {deals.li.pk, deals.sun.pk, deals.zhao.pk} == {key for (key,) in by_person}
    by_team = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER, by=["team"])
    assert set(by_team) == {(deals.ka.pk,), (deals.east.pk,)}
    whole = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER)[()]
    assert sum(by_team.values()) == sum(by_person.values()) == whole
    above = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER, by=["department"])
    assert above == {(deals.root.pk,): whole}
    months = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER, by=["month"])
    assert sum(months.values()) == whole and len(months) == 3


def test_the_rows_the_list_and_the_export_are_the_number(deals):
    client = Client()
    client.force_login(deals.boss)
    for by, key in (("", ""), ("person", str(deals.li.pk)), ("source", "source:CALL")):
        count = drill.Count(METRICS["win_rate"], "over", QUARTER, by, key)
        apart = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER, by=[by] if by else [])
        number = apart[(type(next(iter(apart))[0])(key),)] if by else apart[()]
        found = drill.read(str(count))
        assert found.rows(deals.boss).count() == number > 0
        page = client.get(count.url)
        assert page.status_code == 200
        assert "赢单率（分子）" in page.content.decode()
        file = client.get(f"/opportunity/export?counted={count}&format=csv")
        text = b"".join(file.streaming_content if file.streaming else [file.content]).decode()
        assert text.count("\n") == number + 2  # a notice and the header


def test_what_no_number_says_is_refused_with_a_sentence(deals):
    client = Client()
    client.force_login(deals.boss)
    for told in ("nonsense", "win_rate:over:", "win_rate:rows:2026-04-01..2026-07-01",
                 "win_rate:over:2026-04-01..2026-13-01", "visit_count:rows:2026-04-01..2026-07-01",
                 "win_rate:over:2026-04-01..2026-07-01:person=x"):  # fmt: skip
        answer = client.get(f"/opportunity/?counted={told}")
        assert answer.status_code == 400, told
        assert "指标" in answer.content.decode(), told


def test_nobody_counts_what_they_may_not_see(deals):
    whole = measure(METRICS["won_count"], actor=deals.boss, span=QUARTER)[()]
    mine = measure(METRICS["won_count"], actor=deals.li, span=QUARTER)[()]
    other = measure(METRICS["won_count"], actor=deals.zhao, span=QUARTER)[()]
    assert 0 < mine < whole and mine + other == whole
    count = drill.Count(METRICS["won_count"], "rows", QUARTER, "person", str(deals.zhao.pk))
    assert count.rows(deals.li).count() == 0


def test_a_product_is_that_of_the_dearest_line_of_the_newest_quote(deals):
    one = next(row for row in deals.rows if row.outcome == "WON" and _is_in(row))
    with door.acting(by=None, action="test", history=True) as deed:
        prices = deed.create(PriceList, {"name": "目录价", "starts_on": date(2026, 1, 1)})
        kinds = {"category": term("product_category", "HARDWARE")}
        small, large = (deed.create(Product, {"name": n, **kinds}) for n in ("小件", "大件"))
        base = {"opportunity": one, "price_list": prices, "valid_until": date(2027, 1, 1)}
        for version, (first, second) in enumerate(((9, 1), (1, 9)), start=1):
            quote = deed.create(Quote, {**base, "version": version})
            for product, price in ((small, first), (large, second)):
                deed.create(QuoteLine, {"quote": quote, "product": product, "price": price})
    found = measure(METRICS["won_amount"], actor=deals.boss, span=QUARTER, by=["product"])
    assert found[(large.pk,)] == one.amount and (small.pk,) not in found


def _is_in(row):
    return QUARTER.start <= row.closed_at.date() < date(2026, 6, 30)


def test_a_target_is_that_of_its_newest_version_where_it_is_divided(deals):
    wanted = targets.of("sales_amount")

    def goal(by=()):
        return measure(wanted, actor=deals.boss, span=QUARTER, by=by)

    with door.acting(by=None, action="test", history=True) as deed:
        common = {"metric": "sales_amount", "period": "2026-Q2"}
        team = deed.create(Target, {**common, "subject": deals.ka, "value": 500})
        assert goal() == {(): 500}
        assert goal(["team"]) == {(deals.ka.pk,): 500}
        mine = deed.create(Target, {**common, "subject": deals.li, "value": 300})
        assert goal() == {(): 300}
        assert goal(["person"]) == {(deals.li.pk,): 300}
    door.act("adjust_target", mine, by=deals.boss, payload={"value": 450, "basis": "市场变化"})
    assert goal() == {(): 450}
    assert Target._base_manager.count() == 3
    with pytest.raises(door.Denied, match="第 2 版"):
        door.act("adjust_target", mine, by=deals.boss, payload={"value": 9, "basis": "再调"})
    with pytest.raises(door.Refused, match="为什么"):
        door.act("adjust_target", team, by=deals.boss, payload={"value": 9, "basis": " "})
    # The year's target is not the quarter's, and another tier is another matter.
    with door.acting(by=None, action="test", history=True) as deed:
        deed.create(Target, {**common, "subject": deals.li, "period": "2026", "value": 9})
        deed.create(Target, {**common, "subject": deals.li, "tier": "STRETCH", "value": 9})
    assert goal() == {(): 450}


def test_a_target_is_seen_by_whom_it_is_about_and_those_above(company):
    with door.acting(by=None, action="test", history=True) as deed:
        common = {"metric": "sales_amount", "period": "2026-Q2", "value": 1}
        mine = deed.create(Target, {**common, "subject": company.li})
        team = deed.create(Target, {**common, "subject": company.ka})
    for person, seen in (
        (company.li, {mine, team}),
        (company.zhao, set()),
        (company.wang, {mine, team}),
    ):
        assert set(Target.objects.seen_by(person)) == seen


@pytest.mark.parametrize("period", ["2026-13", "2026-Q5", "26-07", "下半年", ""])
def test_a_period_that_means_nothing_is_refused(company, period):
    values = {"metric": "sales_amount", "subject": company.li, "value": 1, "period": period}
    with pytest.raises(door.Refused) as refused, door.acting(by=company.boss) as deed:
        deed.create(Target, values)
    assert "期间" in str(refused.value)


@pytest.mark.parametrize("written", ["2026", "2026-H1", "2026-H2", "2026-Q1", "2026-Q4", "2026-07"])
def test_a_period_is_written_as_it_is_read(written):
    assert periods.write(periods.read(written)) == written


def test_pages_take_few_queries_however_much_there_is(deals):
    with door.acting(by=None, action="test", history=True) as deed:
        for n in range(9):
            told = {
                "series": "WEB_VISITORS",
                "value": n,
                "source": "统计",
                "at": local(f"2026-05-1{n}"),
            }
            deed.create(Reading, told)
        deed.create(Solution, {"opportunity": deals.rows[0], "title": "方案"})
    client = Client()
    client.force_login(deals.boss)
    pages = [f"/metrics?area={name}" for name in metric_shapes.areas()]
    pages += [
        f"/metrics/{name}?length=quarter&day=2026-05-01&by={by}"
        for name in (
            "win_rate",
            "won_amount",
            "customer_churn_rate",
            "quota_attainment",
            "csat_change",
        )
        for by in ("person", "team", "product", "quarter")
    ]
    for page in [
        *pages,
        "/funnel?day=2026-05-01",
        "/metrics/compliance_rate",
        "/metrics/open_count",
    ]:
        client.get(page)
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(page)
        assert answer.status_code == 200, page
        assert len(caught) <= 15, (page, len(caught))


def test_every_metric_can_be_measured_told_and_opened(deals):
    """No metric names what is not there; each of its sums opens a list that exists or none."""
    apart = set()
    for metric in METRICS.values():
        assert declare.say(metric) and declare.dated(metric)
        measure(metric, actor=deals.boss, span=QUARTER)
        for name, one in declare.parts(metric):
            assert not declare.faults(one), metric.name
            rows_of(one, actor=deals.boss, span=QUARTER).count()
            told = drill.Count(metric, name, QUARTER)
            assert drill.read(str(told)) == told, metric.name
        for by in dimensions.common(metric):
            kinds = {(one.of, getattr(one, "at", ""), by) for _, one in declare.parts(metric)}
            if not kinds <= apart:
                measure(metric, actor=deals.boss, span=QUARTER, by=[by])
            apart |= kinds
