"""Drafts in files: read with their mistakes named, tried without a trace, sent for approval."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from fangyuan.engine.models import Clause, Policy, Request, Rule
from tests.versions.test_publishing import agreed

DRAFT = """\
policy: visits
summary: 记录缩短到 12 小时
clauses:
- id: KA-9.1
  bind:
  - {bind: rule, kind: deadline, record: activity, "on": ended_at, until: written_at, within: 12h,
     where: {kind: VISIT}}
"""


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A draft of one clause."""
    path = tmp_path / "draft.yaml"
    path.write_text(DRAFT, encoding="utf-8")
    return path


def span() -> list[str]:
    """The last month."""
    today = timezone.localdate()
    first = today - timedelta(days=30)
    return ["--from", first.isoformat(), "--to", today.isoformat()]


def test_a_file_is_tried_and_leaves_no_trace(
    company: Any, visits: Any, draft: Path, capsys: Any
) -> None:
    call_command("replay", str(draft), *span(), "--format", "json")
    report = json.loads(capsys.readouterr().out)
    assert (report["policy"], report["flips"]["caught"]) == ("visits", 3)
    assert report["clauses"][0]["sentence_after"].endswith("须在 12 小时内完成“记录齐全”")
    assert {"before", "after", "people", "teams", "weeks", "workload", "curve"} <= set(report)
    assert Policy._base_manager.count() == 1


def test_mistakes_are_named_and_no_difference_is_said(
    company: Any, visits: Any, draft: Path, capsys: Any
) -> None:
    draft.write_text(DRAFT.replace("12h", "半天").replace("KA-9.1", "KA-9.7"), encoding="utf-8")
    with pytest.raises(CommandError, match="2 处错误"):
        call_command("replay", str(draft), *span())
    assert "draft.yaml:6 KA-9.7" in capsys.readouterr().err
    draft.write_text(DRAFT.replace("12h", "72h"), encoding="utf-8")
    with pytest.raises(CommandError, match="没有差别"):
        call_command("replay", str(draft), *span())


def test_publishing_waits_for_the_management(
    company: Any, management: Any, visits: Any, draft: Path, capsys: Any
) -> None:
    today = timezone.localdate().isoformat()
    with pytest.raises(CommandError, match="不能起草"):
        call_command("publish", str(draft), "--from", today, "--by", "li")
    call_command("publish", str(draft), "--from", today, "--by", "qian", "--in-flight", "MILD")
    assert "等 严总" in capsys.readouterr().out
    sent = Policy._base_manager.get(stage="WAITING")
    assert Request._base_manager.get().asked_by == company.qian
    assert agreed(sent, management).in_flight == "MILD"


ADDED = (
    DRAFT
    + """\
- id: KA-9.2
  title: 电话小结
  text: 电话结束后 2 小时内写完小结。
  kind: deadline
  area: activities-visits
  bind:
  - {bind: rule, kind: deadline, record: activity, "on": ended_at, until: written_at, within: 2h,
     where: {kind: CALL}}
"""
)


def test_a_file_may_add_a_clause(
    company: Any, management: Any, visits: Any, draft: Path, capsys: Any
) -> None:
    draft.write_text(ADDED, encoding="utf-8")
    call_command("replay", str(draft), *span(), "--format", "json")
    told = {one["clause"]: one for one in json.loads(capsys.readouterr().out)["clauses"]}
    assert (told["KA-9.2"]["sentence_before"], told["KA-9.2"]["after"]["duties"]) == ("", 0)
    today = timezone.localdate().isoformat()
    call_command("publish", str(draft), "--from", today, "--by", "qian")
    agreed(Policy._base_manager.get(stage="WAITING"), management)
    clause = Clause._base_manager.get(number="KA-9.2")
    assert (clause.title, clause.area, clause.policy.stage) == (
        "电话小结", "activities-visits", "PUBLISHED",
    )  # fmt: skip
    assert Rule._base_manager.get(clause=clause).params["within"] == "2h"


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("  title: 电话小结\n", "", "要新增它，请写上 title"),
        ("area: activities-visits", "area: visits", "area 写成下列之一"),
        (
            "  kind: deadline\n  area",
            "  kind: deadline\n  chapter: 附则\n  area",
            "没有“附则”这一章",
        ),
        ("until: written_at, within: 2h", "until: written, within: 2h", "written"),
    ],
)
def test_a_new_clause_says_all_of_itself(
    company: Any, visits: Any, draft: Path, capsys: Any, was: str, becomes: str, said: str
) -> None:
    draft.write_text(ADDED.replace(was, becomes), encoding="utf-8")
    with pytest.raises(CommandError, match="1 处错误"):
        call_command("replay", str(draft), *span())
    assert said in capsys.readouterr().err
