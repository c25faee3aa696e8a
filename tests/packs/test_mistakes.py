"""Every mistake in a pack is told with file, line, clause and what to do about it."""

import pytest

from fangyuan.engine import packs
from fangyuan.engine.packs import check
from tests.packs.small import SMALL, problems

# (what is changed, into what, line, clause, what the sentence must say)
MISTAKES = {
    "unknown record": (
        "record: activity",
        "record: aktivity",
        20,
        "SM-1",
        "没有“aktivity”这种记录，是不是“activity”",
    ),
    "unknown fact": ("until: written_at", "until: writen_at", 20, "SM-1", "是不是“written_at”"),
    "unknown fact in where": (
        "where: {kind: VISIT}",
        "where: {knid: VISIT}",
        21,
        "SM-1",
        "是不是“kind”",
    ),
    "unknown code": (
        "where: {kind: VISIT}",
        "where: {kind: VISITS}",
        21,
        "SM-1",
        "没有“VISITS”这个取值，是不是“VISIT”",
    ),
    "unknown word": (
        "where: {kind: VISIT}",
        "where: {kind: {iss: VISIT}}",
        21,
        "SM-1",
        "没有“iss”这个条件词，是不是“is”",
    ),
    "no instant": ("until: written_at", "until: situation", 20, "SM-1", "“situation”不是时刻"),
    "unknown role": (
        "where: {kind: VISIT}}",
        "where: {kind: VISIT}, who: sales_managr}",
        21,
        "SM-1",
        "是不是“sales_manager”",
    ),
    "unknown span": ("within: 24h,", "within: 24小时,", 20, "SM-1", "24小时"),
    "two ends": ("within: 24h,", "within: 24h, by: ended_at,", 20, "SM-1", "within"),
    "unknown page": (
        "page: customer_list",
        "page: customer_lists",
        33,
        "SM-2",
        "是不是“customer_list”",
    ),
    "unknown metric": (
        "metric: visit_count",
        "metric: visits_count",
        34,
        "SM-2",
        "没有“visits_count”这个指标",
    ),
    "unknown period": ("per: week", "per: weekly", 32, "SM-2", "只能是 day、week、biweek"),
    "unknown via": (
        "via: subject_customer",
        "via: subject_custmer",
        31,
        "SM-2",
        "是不是“subject_customer”",
    ),
    "event without instant": (
        "event: activity.ended_at",
        "event: activity",
        31,
        "SM-2",
        "activity.ended_at",
    ),
    "too small a number": ("at_least: 1", "at_least: 0", 32, "SM-2", "at_least"),
    "unknown binding": ("{bind: page,", "{bind: pages,", 33, "SM-2", "没有“pages”这种承载"),
    "unknown rule kind": (
        "kind: cadence, record",
        "kind: cadance, record",
        31,
        "SM-2",
        "没有“cadance”这种规则",
    ),
    "extra key": ("per: week,", "per: week, evry: 2,", 32, "SM-2", "不认识“evry”"),
    "duplicate id": ("- id: SM-3", "- id: SM-1", 35, "SM-1", "条号和第 9 行重复"),
    "bad id": ("- id: SM-3", "- id: 三", 35, "三", "条号写成前缀加数字"),
    "missing text": ("    text: 合同三日内归档。\n", "", 35, "SM-3", "缺“text”"),
    "unknown area": ("area: contracts", "area: contract", 37, "SM-3", "是不是“contracts”"),
    "unknown kind": (
        "    kind: deadline\n    evidence",
        "    kind: deadlines\n    evidence",
        40,
        "SM-3",
        "没有“deadlines”这种性质",
    ),
    "long title": (
        "title: 合同归档",
        "title: 合同归档合同归档合同归档",
        36,
        "SM-3",
        "最多 10 项或字",
    ),
    "bad date": ("from: 2026-01-01", "from: 2026-13-01", 4, "", "日期写成 2010-01-01"),
    "bare version": ('version: "1"', "version: 1.0", 3, "", '"2026.1"'),
    "unknown head": ("publisher:", "publicher:", 5, "", "是不是“publisher”"),
    "repeated key": (
        "    actor: 销售代表\n    text: 每周",
        "    actor: 销售代表\n    actor: 经理\n    text: 每周",
        26,
        "SM-2",
        "“actor”写了两次",
    ),
    "anchor": ("title: 试行办法", "title: &a 试行办法", 2, "", "不用锚点"),
    "tag": ("title: 试行办法", "title: !!python/name:os.system ''", 2, "", "不用类型标记"),
    "broken yaml": ("title: 试行办法", "title: [试行办法", 3, "", "不合 YAML 写法"),
    "list for a mapping": ("params: {within: 24h}", "params: [24h]", 15, "SM-1", "要写成名称和值"),
    "bare bind": ("{bind: page, page: customer_list}", "customer_list", 33, "SM-2", "承载要写成"),
}


def test_the_small_pack_is_sound():
    assert check.check_bytes("small.yaml", SMALL.encode()).problems == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_file_line_clause_and_remedy(name):
    old, new, line, clause, said = MISTAKES[name]
    found = problems(old, new)
    assert any(
        p.file == "small.yaml" and p.line == line and p.clause == clause and said in p.sentence
        for p in found
    ), [str(p) for p in found]


def test_all_mistakes_are_told_at_once():
    text = SMALL.replace("until: written_at", "until: writen_at")
    text = text.replace("per: week", "per: weekly").replace("area: contracts", "area: contract")
    found = check.check_bytes("small.yaml", text.encode()).problems
    assert {p.clause for p in found} == {"SM-1", "SM-2", "SM-3"}


def test_a_clause_in_two_packs_is_told(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            SMALL.replace("policy: small", f"policy: {name}"), encoding="utf-8"
        )
    found = check.check_all(sorted(tmp_path.glob("*.yaml")))
    assert found[0].problems == []
    assert any("a.yaml 里已有" in p.sentence for p in found[1].problems)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes("policy: 甲".encode("gb18030"))
    assert "UTF-8" in check.check(path).problems[0].sentence
    assert "打不开" in check.check(tmp_path / "none.yaml").problems[0].sentence


def test_shipped_packs_hold_every_clause():
    found = check.check_all(packs.shipped())
    assert [str(p) for one in found for p in one.problems] == []
    counts = {one.file: len(one.pack.provisions) for one in found}
    assert counts == {
        "daily.yaml": 61,
        "ka.yaml": 114,
        "process-articles.yaml": 131,
        "process-journey.yaml": 88,
        "process-s1s7.yaml": 127,
        "resources.yaml": 146,
        "tags.yaml": 131,
    }
