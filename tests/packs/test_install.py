"""Installing packs: once, whole or not at all, and one version after the other."""

import io
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from fangyuan.core.models import Event
from fangyuan.engine import packs
from fangyuan.engine.models import Clause, Policy, Rule
from fangyuan.engine.packs.check import Broken
from fangyuan.engine.packs.installation import Clash
from tests.packs.small import SMALL

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")


def write(folder, text=SMALL, name="small"):
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def rules():
    found = Rule.objects.everything("测试").present().filter(clause__policy__code="small")
    return list(found.select_related("clause__policy").order_by("starts_at", "id"))


def test_a_pack_becomes_policy_clauses_and_rules(tmp_path):
    [done] = packs.install([write(tmp_path)])
    assert (done.clauses, done.rules, done.waiting, done.changed) == (3, 2, 1, True)
    policy = Policy.objects.everything("测试").get(code="small")
    assert (policy.starts_on, policy.stage, policy.title) == (
        date(2026, 1, 1),
        "PUBLISHED",
        "试行办法",
    )
    clause = Clause.objects.everything("测试").get(policy=policy, number="SM-1")
    assert clause.uses_default
    assert clause.params == {"within": "24h", "defaults": {"remind": "2h"}}
    assert (clause.title, clause.chapter) == ("记录 24h", "一、拜访")
    rule = rules()[0]
    assert (rule.kind, rule.record, rule.line) == ("DEADLINE", "activity", 0)
    assert rule.starts_at == datetime(2026, 1, 1, tzinfo=ZONE)


def test_rules_of_what_the_product_lacks_are_not_created(tmp_path):
    packs.install([write(tmp_path)])
    assert [rule.clause.number for rule in rules()] == ["SM-1", "SM-2"]


def test_the_same_pack_again_writes_nothing(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    before = Event.objects.everything("测试").count()
    [done] = packs.install([path])
    assert not done.changed
    assert Event.objects.everything("测试").count() == before


def test_a_broken_pack_replaces_nothing(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    standing = [(rule.pk, rule.params) for rule in rules()]
    write(tmp_path, SMALL.replace("within: 24h,", "within: 24x,"))
    with pytest.raises(Broken) as broken:
        packs.install([path])
    assert broken.value.problems[0].clause == "SM-1"
    assert [(rule.pk, rule.params) for rule in rules()] == standing


def test_one_broken_pack_of_several_keeps_all_out(tmp_path):
    good = write(tmp_path)
    bad = write(
        tmp_path, SMALL.replace("SM-", "XX-").replace("record: activity", "record: x"), "bad"
    )
    with pytest.raises(Broken):
        packs.install([bad, good])
    assert not Policy.objects.everything("测试").filter(code="small").exists()


def test_a_later_version_closes_the_rules_before_it(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    later = SMALL.replace('version: "1"', 'version: "2"').replace("2026-01-01", "2026-07-01")
    write(tmp_path, later.replace("within: 24h,", "within: 48h,"))
    packs.install([path])
    spans = [(r.clause.number, r.starts_at, r.ends_at, r.params.get("within")) for r in rules()]
    first, second = datetime(2026, 1, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE)
    assert spans == [
        ("SM-1", first, second, "24h"),
        ("SM-2", first, second, None),
        ("SM-1", second, None, "48h"),
        ("SM-2", second, None, None),
    ]
    old = Policy.objects.everything("测试").get(code="small", version="1")
    assert (old.ends_on, old.stage) == (date(2026, 6, 30), "SUPERSEDED")


def test_a_changed_rule_needs_a_new_version(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    write(tmp_path, SMALL.replace("within: 24h,", "within: 48h,"))
    with pytest.raises(Clash, match="SM-1 的规则变了"):
        packs.install([path])
    assert rules()[0].params["within"] == "24h"


def test_a_new_version_must_begin_later(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    write(tmp_path, SMALL.replace('version: "1"', 'version: "2"'))
    with pytest.raises(Clash, match="要晚于"):
        packs.install([path])


def test_a_corrected_title_needs_no_new_version(tmp_path):
    path = write(tmp_path)
    packs.install([path])
    standing = [rule.pk for rule in rules()]
    write(tmp_path, SMALL.replace("title: 记录 24h", "title: 一日内记录"))
    packs.install([path])
    assert Clause.objects.everything("测试").get(number="SM-1").title == "一日内记录"
    assert [rule.pk for rule in rules()] == standing


def test_where_examples_stand_beside_packs_only_clauses_with_one_bind(tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/small.yaml").write_text("cases: [{clause: SM-2}]", encoding="utf-8")
    [done] = packs.install([write(tmp_path)])
    assert done.rules == 1
    assert [rule.clause.number for rule in rules()] == ["SM-2"]


def test_the_command_tells_mistakes_and_loads(tmp_path):
    path = write(tmp_path, SMALL.replace("until: written_at", "until: writen_at"))
    told = io.StringIO()
    with pytest.raises(CommandError, match="共 1 处错误"):
        call_command("packs", "check", str(path), stderr=told)
    assert "small.yaml:20 SM-1" in told.getvalue()
    with pytest.raises(CommandError, match="现行制度没有受影响"):
        call_command("packs", "load", str(path), stderr=io.StringIO())
    out = io.StringIO()
    call_command("packs", "load", str(write(tmp_path)), stdout=out)
    assert "small 1 已载入" in out.getvalue()
