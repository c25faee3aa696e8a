"""Tables come in whole or not at all, and what is refused is named by row, column and reason."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from fangyuan import door
from fangyuan.core.models import Event, Tracked
from fangyuan.customers.models import Contact, Customer
from fangyuan.desk.exchange import columns, load
from fangyuan.org.models import Holding, Person, Team
from tests import faults

HEAD = "外部编号,法定全称,来源,信息获取,注册地址\n"


@pytest.fixture
def admin(company):
    """The administrator."""
    with door.acting(by=None, action="test"):
        return Person._base_manager.create(
            login="admin", name="管理员", joined_on="2020-01-01", is_admin=True
        )


@pytest.fixture
def bring(tmp_path, admin):
    """Import a text as a file of one type: `bring("customer", "…", by=…)`."""

    def run(kind, text, *, name="file.csv", by=admin, **more):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load.run(load.Order(model=columns.type_of(kind), path=path, by=by, **more))

    return run


def said(outcome):
    """Row, column and reason of every mistake."""
    return [(m.row, m.column, m.reason) for m in outcome.mistakes]


def test_a_known_key_changes_its_record_and_an_unchanged_row_writes_nothing(bring):
    made = bring("customer", HEAD + "c1,甲公司,客户推荐,2026-01-05,苏州\n")
    assert (made.created, made.changed) == (1, 0)
    again = bring("客户", HEAD + "c1,甲公司,REFERRAL,2026-01-05 00:00,苏州\n")
    assert (again.created, again.changed, again.unchanged) == (0, 0, 1)
    changed = bring("customer", "key,address\nc1,无锡\n")
    assert (changed.created, changed.changed) == (0, 1)
    record = Customer._base_manager.get(key="c1")
    assert (record.address, record.revision, record.name_key) == ("无锡", 2, "甲公司")
    assert Event._base_manager.filter(record="customer", record_id=record.pk).count() == 2


def test_every_refused_row_is_named_and_nothing_is_kept(bring):
    rows = [
        "c1,甲公司,没有的来源,2026-01-05,苏州",
        "c2,华清电子有限公司,REFERRAL,2026-01-05,苏州",
        "c3,乙公司,REFERRAL,2026-13-05,苏州",
        "c4,丙公司,REFERRAL,2026-01-05,苏州",
        "c5,丙 公司,REFERRAL,2026-01-05,苏州",
        "c6,,REFERRAL,2026-01-05,苏州",
        "c7,丁公司,REFERRAL,2026-01-05,苏州",
    ]
    outcome = bring("customer", HEAD + "\n".join(rows))
    assert said(outcome) == [
        (2, "来源", "字典里没有这一项"),
        (3, "法定全称", "已有同名客户，请先搜索再决定是否新建"),
        (4, "信息获取", "没有这一天"),
        (6, "法定全称", "和第 5 行重复"),
        (7, "法定全称", "不能为空"),
    ]
    assert not outcome.is_kept and Customer._base_manager.count() == 1
    partial = bring("customer", HEAD + "\n".join(rows), is_partial=True)
    assert (partial.created, partial.failed) == (2, 5)
    assert set(Customer._base_manager.values_list("key", flat=True)) == {"hq", "c4", "c7"}


@pytest.mark.parametrize(
    ("head", "column", "reason"),
    [
        ("key,法定全城", "法定全城", "没有这一列"),
        ("key,name,法定全称", "法定全称", "和“name”是同一列"),
        ("key,name,recorded_at", "录入时间", "录入时间由系统写"),
        ("key,name", "", "新记录缺少必填的列：来源、信息获取"),
    ],
)
def test_a_file_with_a_wrong_header_is_refused_whole(bring, head, column, reason):
    outcome = bring("customer", f"{head}\nc1,甲,2026-01-01\n")
    assert (0, column, reason) in said(outcome)


def test_rows_of_one_file_may_refer_to_each_other_in_any_order(bring):
    people = bring(
        "person",
        "login,name,manager,joined_on\nsun,小孙,qian,2024-01-01\nqian,钱总,boss,2020-01-01\n",
    )
    assert people.created == 2
    assert Person._base_manager.get(login="sun").manager.login == "qian"
    teams = bring(
        "team", "code,name,kind,parent,leader\nb2,乙组,团队,b1,qian\nb1,乙部,部门,acme,\n"
    )
    assert teams.created == 2 and Team._base_manager.get(code="b2").parent.code == "b1"
    circle = bring("person", "login,manager\nboss,sun\n")
    assert said(circle) == [(2, "直接上级", "“直接上级”绕成了圈")]


def test_spans_are_known_by_subject_role_and_start(bring, company):
    file = "subject,person,role,starts_at,ends_at\n客户:hq,li,OWNER,2026-01-05 09:00,2026-06-01\n"
    assert bring("holding", file).changed == 1
    file += "customer:hq,zhao,负责人,2026-06-01T00:00:00+08:00,\n"
    assert (bring("holding", file).created, bring("holding", file).created) == (1, 0)
    clash = bring("holding", "subject,person,role,starts_at\ncustomer:hq,wang,OWNER,2026-03-01\n")
    assert said(clash) == [(2, "对象", "和已有的记录时间重叠")]
    assert Holding._base_manager.filter(subject_id=company.customer.pk).count() == 2


def test_history_keeps_its_own_time_of_entry_and_only_for_administrators(bring, company):
    file = (
        '{"key":"a1","customer":"hq","person":"li","kind":"VISIT","started_at":"2026-03-01 09:00",'
        '"ended_at":"2026-03-01T10:00:00+08:00","recorded_at":"2026-03-02 08:00"}\n'
    )
    refused = bring("activity", file, name="a.jsonl", by=company.wang, is_history=True)
    assert said(refused) == [(0, "", "只有系统管理员能导入历史")]
    assert bring("activity", file, name="a.jsonl", is_history=True).created == 1
    model = columns.type_of("activity")
    record = model._base_manager.get(key="a1")
    assert record.recorded_at.isoformat() == "2026-03-02T00:00:00+00:00"
    assert record.imported_at is not None and record.stage == "DONE"


def test_tracked_rows_are_the_whole_history_of_their_fact(bring):
    head = "subject,fact,value,starts_at\n"
    first = head + "customer:hq,KA档,重点KA,2026-01-05 09:00\ncustomer:hq,ka_tier,,2026-03-01\n"
    assert bring("tracked", first).created == 2
    assert bring("tracked", first).unchanged == 2
    bring("tracked", head + "customer:hq,ka_tier,TIER2,2026-02-01\ncustomer:hq,ka_tier,,2026-03-01")
    kept = Tracked._base_manager.filter(removed_at=None).order_by("starts_at")
    assert [(span.value, span.ends_at is None) for span in kept] == [("TIER2", False), (None, True)]
    wrong = bring(
        "tracked", head + "customer:hq,grade,优,2026-01-01\ncustomer:hq,garde,A,2026-01-01"
    )
    assert [(m.row, m.column) for m in wrong.mistakes] == [(2, "值"), (3, "事实")]


def test_a_person_changes_only_rows_within_reach(bring, company):
    denied = bring("customer", "key,address\nhq,别处\n", by=company.zhao)
    assert said(denied) == [(2, "", "你不能改这条记录")]
    assert bring("customer", "key,address\nhq,昆山\n", by=company.li).changed == 1
    governed = bring("customer", "key,ka_tier\nhq,TIER1\n", by=company.li)
    assert governed.mistakes and not governed.is_kept
    own = bring("customer", HEAD + ",小李的新客户,REFERRAL,2026-01-05,苏州\n", by=company.li)
    assert own.created == 1
    record = Customer._base_manager.get(name="小李的新客户")
    assert Holding._base_manager.get(subject_id=record.pk).person == company.li


def test_rules_of_the_rulebook_refuse_rows_and_spare_history(bring, rule):
    rule("REQUIRED", "customer", fields=["address"], enforce="write")
    rows = HEAD + "c1,甲公司,REFERRAL,2026-01-05,\nc2,乙公司,REFERRAL,2026-01-05,苏州\n"
    assert [(m.row, m.column) for m in bring("customer", rows).mistakes] == [(2, "注册地址")]
    assert bring("customer", rows, is_partial=True).created == 1
    assert bring("customer", rows, is_history=True).created == 1


def test_a_contact_comes_in_the_row_of_its_customer(bring):
    head = "key,name,source,learned_at,主要联系人 姓名,contacts.phone\n"
    outcome = bring("customer", head + "c1,甲公司,REFERRAL,2026-01-05,吴工,138 0013 8001\n")
    assert outcome.created == 1
    contact = Contact._base_manager.get(customer__key="c1")
    assert (contact.name, contact.phone, contact.is_main) == ("吴工", "13800138001", True)
    bring("customer", "key,contacts.name\nc1,吴工程师\n")
    assert Contact._base_manager.get(customer__key="c1").name == "吴工程师"
    double = bring("customer", head + "c3,丙公司,REFERRAL,2026-01-05,郑工,13800138000\n")
    assert double.created == 1 and "电话和别的记录相同" in double.notes[0]
    lacking = bring("customer", head + "c2,乙公司,REFERRAL,2026-01-05,吴工,\n")
    assert said(lacking) == [(2, "主要联系人", "电话和邮箱至少填一个")]


@pytest.mark.parametrize("kind", ["customer", "tracked"])
def test_no_failing_statement_leaves_half_an_import(bring, kind):
    files = {
        "customer": HEAD
        + "hq,华清电子股份,REFERRAL,2026-01-05,昆山\nc1,甲,REFERRAL,2026-01-05,苏州\n",
        "tracked": "subject,fact,value,starts_at\ncustomer:hq,ka_tier,TIER2,2026-01-05\n",
    }

    def left():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT jsonb_agg(c ORDER BY id)::text FROM customers_customer c),"
                " (SELECT count(*) FROM core_tracked), (SELECT count(*) FROM core_event)"
            )
            return cursor.fetchone()

    before = left()

    def check(nth, sql):
        assert left() == before, f"statement {nth}: {sql}"

    assert faults.break_each(lambda: bring(kind, files[kind]), check) > 10
    assert left() != before


def test_the_same_file_twice_at_once_runs_once(tmp_path, admin):
    path = tmp_path / "twice.csv"
    path.write_text(HEAD + "c1,甲,REFERRAL,2026-01-05,苏州\n", encoding="utf-8")
    order = load.Order(model=columns.type_of("customer"), path=path, by=admin)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [load.digest(path)])
            assert said(load.run(order)) == [(0, "", "这份文件正在导入")]
            cursor.execute("SELECT pg_advisory_unlock(%s)", [load.digest(path)])
    finally:
        other.close()
    assert load.run(order).created == 1


def test_naughty_cells_are_kept_as_they_are_or_refused(bring):
    naughty = [
        "=1+1",
        "'quoted",
        " \u200b零宽",
        "\u202e反向",
        "<script>",
        "Ω≈ç√∫",
        "田中さん",
        "𠮷野家",
    ]
    lines = [
        json.dumps({"key": f"n{n}", "name": text, "source": "REFERRAL", "learned_at": "2026-01-05"})
        for n, text in enumerate(naughty)
    ]
    assert bring("customer", "\n".join(lines), name="n.jsonl").created == len(naughty)
    kept = dict(Customer._base_manager.values_list("key", "name"))
    assert [kept[f"n{n}"] for n in range(len(naughty))] == naughty
    nul = json.dumps({"key": "z", "name": "a\0b", "source": "REFERRAL", "learned_at": "2026-01-05"})
    assert said(bring("customer", nul, name="z.jsonl"))[0][:2] == (1, "法定全称")
