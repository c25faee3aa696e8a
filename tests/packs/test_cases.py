"""Every example of every clause holds on the real product; one that does not is told."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from django.db import transaction

from fangyuan.engine.models import Clause
from fangyuan.site.proof import coverage, run, stories

# Without the mark no test database would be made when this file runs alone.
pytestmark = pytest.mark.django_db
STORIES = run.all_stories()
IN_SCOPE = ("KA-3.1", "KA-3.2.", "KA-3.3.", "RES-3.1.", "RES-3.2.", "RES-3.3.", "RES-3.4.",
            "DAY-3.1.", "TAG-4.1.1")  # fmt: skip

DEMANDING = {"deadline", "cadence", "required", "gate", "approval", "alert"}
# These are shown kept and broken, but by two examples only.
WITH_TWO = set(
    "DAY-2.2.2 KA-2.2.1a KA-6.1.1 KA-6.2c PA-3.2 PA-5.0 PJ-2.0 PJ-2.3.2.3 PJ-2.5.2.3"
    " RES-4.3.2a RES-6.2.1 RES-6.2.2a RES-7.1.1a RES-7.1.2a TAG-2.1.1.1 TAG-2.1.1.3 TAG-2.1.1.5"
    " TAG-2.1.1.6 TAG-2.1.5.2 TAG-2.2.2.3 TAG-4.1.4c TAG-4.2.1b TAG-4.3.1a".split()
)


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """The company of the examples, in a transaction that spans this module and leaves nothing."""
    with django_db_blocker.unblock(), run.company() as here:
        yield here


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_example(company, story):
    result = company.run(story)
    assert result.passed, f"{result.file}:{result.line} {result.said}"


def test_every_clause_that_demands_something_has_three_examples(company):
    count = Counter(story.clause for story in STORIES)
    kinds = {c.number: _kinds(c) for c in Clause.objects.everything("测试").present()}
    thin = {n for n, times in count.items() if times < 3 and kinds[n] & DEMANDING}
    assert thin == WITH_TWO


def _kinds(clause):
    """Of which kinds a clause's rules are; a number or a page alone demands nothing."""
    return {one.get("kind") for one in clause.bindings if one.get("bind") == "rule"}


def test_an_example_leaves_nothing_behind(company):
    before = set(company.vocabulary.named)
    company.run(STORIES[0])
    assert set(company.vocabulary.named) == before


@pytest.mark.parametrize(
    ("part", "step", "said"),
    [
        ("given", {"客护 甲": {}}, "没有“客护”这个词，是不是“客户”"),
        ("given", {"客户 甲": {"负责任": "小李"}}, "没有“负责任”这一项"),
        ("given", {"客户 甲": {"负责人": "小利"}}, "例子里没有“小利”"),
        ("given", {"客户 甲": {"信息获取": "昨天"}}, "信息获取"),
        ("given", {"客户 甲": {"规模": "巨型"}}, "没有这一项"),
        ("when", {"小李 飞 小李": {}}, "没有“飞”这个动作"),
        (
            "when",
            {"小李 新建 客户 甲": {}, "结果": "被拒", "缺": "不存在的字段"},
            "说缺“不存在的字段”",
        ),
        ("then", {"at": "2026-05-01 00:00", "义务 小李": {"状态": "违规"}}, "应有一项义务"),
        ("then", {"记录 小李": {"姓名": "小王"}}, "应为“小王”，实际“小李”"),
        ("then", {"看得见 小孙": ["不在"]}, "例子里没有“不在”"),
        ("then", {"义物 小李": {}}, "没有“义物”这种核对，是不是“义务”"),
    ],
)
def test_an_example_that_does_not_hold_is_told_with_its_line(company, part, step, said):
    told = stories.Told(clause="KA-3.1", title="不成立", **{part: [step]})
    story = stories.Story("x.yaml", 7, told, {(part, 0): 9})
    result = company.run(story)
    assert not result.passed
    assert said in result.said
    assert result.line == 9


def test_a_wrong_expectation_fails(company):
    story = next(s for s in STORIES if s.told.title.startswith("周四 16:01"))
    then = [{**step} for step in story.told.then]
    key = "义务 首访"
    then[-1][key] = {**then[-1][key], "状态": "按时"}
    told = story.told.model_copy(update={"then": then})
    assert "状态应为“按时”，实际“迟办”" in company.run(replace(story, told=told)).said


def test_a_file_of_examples_with_a_slip_names_its_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("policy: ka\ncases:\n- clause: KA-3.1\n  titel: 甲\n", encoding="utf-8")
    with pytest.raises(stories.Confused, match="第 3 行|第 4 行"):
        stories.stories(path)


def test_coverage_tells_what_is_carried_and_what_waits(company, tmp_path, settings):
    settings.DATA = tmp_path
    results = [run.Result(story.clause, story.name, story.file, 1, True) for story in STORIES]
    with transaction.atomic():
        covered = {one.id: one for one in coverage._covered(results)}
    assert len(covered) == 798
    scope = {number: one for number, one in covered.items() if number.startswith(IN_SCOPE)}
    assert {n: one.waits_for for n, one in scope.items() if not one.bound} == {}
    assert [n for n, one in scope.items() if not one.exercised] == []
    assert covered["KA-4.4.3a"].waits_for == ("orders:order_change",)


def test_results_are_kept_until_something_changes(tmp_path, settings, monkeypatch):
    settings.DATA = tmp_path
    assert run.kept() is None
    results = [run.Result("KA-3.1", "例", "ka.yaml", 3, True)]
    run.keep(results)
    assert run.kept() == results
    assert json.loads(run.results_file().read_text(encoding="utf-8"))["of"] == run.fingerprint()
    monkeypatch.setattr(run, "fingerprint", lambda: "otherwise")
    assert run.kept() is None
