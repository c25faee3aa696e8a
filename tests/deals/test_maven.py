"""A real pipeline through the normal importer: what the metrics tell of it was worked out before.

Wanted is what independent code counted: win rate, cycle and value by product, agent, manager,
region and quarter. FY_SHARED names the folder with the data, else the tests say that they did not
run.
"""

from __future__ import annotations

import csv
from datetime import date

import pytest
from django.core.management import call_command

from fangyuan import door
from fangyuan.customers.models import Customer
from fangyuan.desk.models import ImportBatch
from fangyuan.library.models import Product
from fangyuan.metrics import drill
from fangyuan.metrics.measure import Span, measure
from fangyuan.opportunities import metrics
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Person, Team
from tests.deals import files

ALL = Span(date(2016, 1, 1), date(2018, 1, 1))
EXACT = {"won": metrics.won_count, "value_won": metrics.won_amount}
NEAR = {
    "win_rate": metrics.win_rate,
    "avg_cycle_days_won": metrics.sales_cycle_days,
    "avg_won_value": metrics.won_average,
}


@pytest.fixture(scope="module")
def told():
    """The files, or the tests are reported as not run."""
    return files.told()


@pytest.fixture
def imported(told, company, tmp_path, capsys):
    """Everything imported by the command that anybody uses, as history."""
    company.boss.is_admin = True
    with door.acting(by=None, action="test"):
        company.boss.save()
    said = {}
    for record, header, rows in files.tables():
        path = tmp_path / f"{record}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        partial = record == "opportunity"
        how = {"by": "boss", "legacy": True, "dry_run": False, "partial": partial}
        try:
            call_command("import", record, str(path), **how)
        except SystemExit as ended:
            assert partial and ended.code == 1, capsys.readouterr().err
        said[record] = capsys.readouterr()
    return said


@pytest.mark.django_db
def test_the_metrics_equal_what_was_worked_out(told, imported, company):
    expected = told["expected"]
    assert _measured(company.boss, metrics.win_rate) == expected["win_rate"]
    assert _measured(company.boss, metrics.won_amount) == expected["won_value_total"]
    assert _measured(company.boss, metrics.sales_cycle_days) == expected["cycle_days"]["won_mean"]
    names = {
        "product": dict(Product._base_manager.values_list("pk", "name")),
        "person": dict(Person._base_manager.values_list("pk", "name")),
        "team": dict(Team._base_manager.values_list("pk", "name")),
    }
    names["department"] = names["team"]
    for by, dimension in {
        "by_product": "product",
        "by_agent": "person",
        "by_manager": "team",
        "by_region": "department",
        "by_quarter": "quarter",
    }.items():
        wanted = expected[by]
        for figure, metric in (EXACT | NEAR).items():
            found = measure(metric, actor=company.boss, span=ALL, by=[dimension])
            got = {_name(dimension, key, names): _six(value) for (key,), value in found.items()}
            assert got == {key: one[figure] for key, one in wanted.items()}, (by, figure)
    _rows_are_the_numbers(told, company)
    _what_was_dirty_is_told(told, imported)


def _measured(actor, metric):
    return _six(measure(metric, actor=actor, span=ALL)[()])


def _six(value):
    return round(float(value), 6)


def _name(dimension, key, names):
    if dimension == "quarter":
        return f"{key.year}Q{(key.month + 2) // 3}"
    return names[dimension][key].removesuffix(" 组")


def _rows_are_the_numbers(told, company):
    """What a number counts is found again as exactly so many rows of the list."""
    agent = "Darcel Schlecht"
    person = Person._base_manager.get(name=agent)
    count = drill.Count(metrics.win_rate, "under", ALL, "person", str(person.pk))
    rows = drill.read(str(count)).rows(company.boss)
    wanted = told["expected"]["by_agent"][agent]
    assert rows.count() == wanted["won"] + wanted["lost"]
    assert rows.filter(outcome="WON").count() == wanted["won"]


def _what_was_dirty_is_told(told, imported):
    """The wrong name is taken for the right one and said; rows without a customer are refused."""
    dirty, expected = told["expected"]["dirty"], told["expected"]
    assert "“GTXPro”当作“GTX Pro”" in imported["quote_line"].err
    refused = imported["opportunity"].err.splitlines()
    assert len(refused) == dirty["rows_without_account"]
    assert all("客户" in line and "不能为空" in line for line in refused)
    kept = expected["rows"] - dirty["rows_without_account"]
    assert Opportunity._base_manager.count() == kept
    assert Customer._base_manager.count() == len(told["accounts"]) + 1
    idle = set(expected["agents_without_any_deal"])
    assert idle <= set(Person._base_manager.values_list("name", flat=True))
    assert ImportBatch._base_manager.filter(record="opportunity", stage="DONE").count() == 1
