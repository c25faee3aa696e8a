"""Real leads through the normal importer: conversion by source equals what was worked out before.

The file is not part of the project: FY_SHARED names the folder that holds it, else the tests are
reported as not run. It knows no dates and no companies; a lead's number stands for both.
"""

import csv
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Q

from conftest import local
from fangyuan import door
from fangyuan.core.models import Event, Term
from fangyuan.customers import metrics
from fangyuan.customers.models import Lead
from fangyuan.metrics.measure import Span, measure
from tests.helpdesk import log

START = local("2026-01-05 09:00")
YEAR = Span(START.date().replace(month=1, day=1), START.date().replace(year=2027, month=1, day=1))
MISSING = "(missing)"
HEADER = ["外部编号", "公司或个人", "来源", "获取", "状态", "分配", "转化"]


@pytest.fixture(scope="module")
def told():
    """The rows of the file, and what is expected of them."""
    folder = log.folder("xeducation_leads")
    with (folder / "leads.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def source(row):
    return row["Lead Source"].strip().lower() or MISSING


@pytest.fixture
def imported(told, company, tmp_path):
    """Everything imported by the command that anybody uses, as history."""
    rows, _ = told
    codes = {name: f"X{n}" for n, name in enumerate(sorted({source(row) for row in rows}))}
    company.boss.is_admin = True
    with door.acting(by=None, action="test") as deed:
        company.boss.save()
        for name, code in codes.items():
            deed.create(Term, {"domain": "source", "code": code, "label": name})
    path = tmp_path / "leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for number, row in enumerate(rows):
            at = START + timedelta(minutes=number)
            is_won = row["Converted"] == "1"
            stage, won = ("PROSPECT", at.isoformat()) if is_won else ("ASSIGNED", "")
            name = f"线索 {row['Lead Number']}"
            known = (row["Lead Number"], name, codes[source(row)], at.isoformat(), stage)
            out.writerow([*known, at.isoformat(), won])
    call_command("import", "lead", str(path), by="boss", legacy=True, dry_run=False, partial=False)
    return codes


@pytest.mark.django_db
def test_conversion_by_source_equals_the_expected(told, imported, company):
    rows, expected = told
    assert Lead._base_manager.count() == expected["rows"] == len(rows)
    rates = measure(metrics.lead_to_prospect_rate, actor=company.boss, span=YEAR, by=["source"])
    names = {f"source:{code}": name for name, code in imported.items()}
    got = {names[key]: round(rate, 6) for (key,), rate in rates.items()}
    assert got == {name: one["rate"] for name, one in expected["by_source"].items()}
    [total] = measure(metrics.lead_to_prospect_rate, actor=company.boss, span=YEAR).values()
    assert round(total, 6) == expected["rate"]


@pytest.mark.django_db
def test_the_counts_behind_the_rates_are_the_rows_themselves(told, imported, company):
    _, expected = told
    counted = Lead.objects.seen_by(company.boss).values(name=F("source__label")).annotate(
        n=Count("pk"), won=Count("pk", filter=Q(stage="PROSPECT"))
    )  # fmt: skip
    got = {row["name"]: (row["n"], row["won"]) for row in counted.order_by()}
    wanted = expected["by_source"].items()
    assert got == {name: (one["n"], one["converted"]) for name, one in wanted}
    # It came in by the door of imports, and the log says so of every row.
    events = Event.objects.everything("t").filter(record="lead", op="C", channel="IMPORT")
    assert events.count() == expected["rows"]
