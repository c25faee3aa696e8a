"""The commands import, template, export and token: what they print, and with which status."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from fangyuan import door
from fangyuan.access import tokens
from fangyuan.access.models import AccessLog
from fangyuan.customers.models import Customer
from fangyuan.desk import declare
from fangyuan.desk.exchange import batches
from fangyuan.desk.models import ImportBatch
from fangyuan.org.models import Person, Team

ROWS = "key,name,source,learned_at\nc1,甲公司,REFERRAL,2026-01-05\nc2,乙公司,没有,2026-01-05\n"


@pytest.fixture
def admin(company):
    """The administrator."""
    with door.acting(by=None, action="test"):
        return Person._base_manager.create(
            login="admin", name="管理员", joined_on="2020-01-01", is_admin=True
        )


@pytest.fixture
def run(admin, tmp_path):
    """Import a text from the command line: gives status, output and complaints."""

    def imported(text, *flags, kind="customer", name="rows.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("import", kind, str(path), "--by", "admin", *flags, stdout=out, stderr=err)
        except SystemExit as ended:
            return ended.code, out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    return imported


def test_a_refused_row_makes_the_status_one_and_says_why(run):
    status, out, err = run(ROWS)
    assert status == 1 and "没有写入任何一行" in out
    assert "第 3 行“来源”的值“没有”：字典里没有这一项" in err
    assert Customer._base_manager.count() == 1
    status, out, _ = run(ROWS, "--partial")
    assert status == 1 and "新建 1" in out and Customer._base_manager.filter(key="c1").exists()


def test_a_rehearsal_writes_nothing(run):
    status, out, err = run(ROWS.replace("没有", "REFERRAL"), "--dry-run")
    assert (status, err) == (0, "") and "新建 2" in out and "没有写入" in out
    assert Customer._base_manager.count() == 1


def test_what_the_command_line_wrote_is_listed_and_can_be_taken_back(run, admin):
    rows = ROWS.replace("没有", "REFERRAL")
    run(rows)
    batch = ImportBatch._base_manager.get()
    assert (batch.stage, batch.total, batch.passed, batch.failed) == ("DONE", 2, 2, 0)
    assert declare.address(batch) == f"/customer/import/{batch.pk}"
    run(rows)
    assert ImportBatch._base_manager.count() == 1  # nothing was changed, there is nothing to see
    run(rows.replace("乙公司", "丙公司"), name="again.csv")
    assert batches.undo(ImportBatch._base_manager.latest("id"), by=admin) == "已撤销 1 条"
    assert Customer._base_manager.get(key="c2").name == "乙公司"
    batches.undo(batch, by=admin)
    assert Customer._base_manager.get(name="甲公司").removed_at


def test_teams_may_name_leaders_who_come_with_a_later_file(run, company):
    status, _, err = run("code,name,leader\nt1,一组,chen\nt2,二组,zhao\n", kind="team")
    assert status == 0 and "负责人 chen 还不在系统里" in err
    one, two = Team._base_manager.get(code="t1"), Team._base_manager.get(code="t2")
    assert one.leader is None and two.leader == company.zhao
    batch = ImportBatch._base_manager.get()
    assert "chen" in batch.message and batch.awaited[0]["said"] == "chen"
    run("login,name,joined_on\nchen,小陈,2026-01-05\n", kind="person")
    one.refresh_from_db()
    batch.refresh_from_db()
    assert one.leader.login == "chen" and batch.awaited == []
    assert run("code,name,parent\nt3,三组,nowhere\n", kind="team")[0] == 1  # only leaders may


def test_unknown_types_and_people_are_named(admin, tmp_path):
    with pytest.raises(CommandError, match="是不是 customer"):
        call_command("import", "custmer", "x.csv", "--by", "admin")
    with pytest.raises(CommandError, match="没有登录名为“nobody”的启用账户"):
        call_command("import", "customer", "x.csv", "--by", "nobody")


def test_a_template_has_every_column_and_its_import_complains_of_nothing_but_rows(tmp_path):
    path = tmp_path / "t.csv"
    call_command("template", "customer", "--out", str(path))
    head = next(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert {"外部编号", "法定全称", "主要联系人 电话"} <= set(head) and "录入时间" not in head


def test_an_export_is_scoped_logged_and_reads_as_json(admin, company, tmp_path):
    path = tmp_path / "out.jsonl"
    call_command("export", "customer", "--out", str(path))
    [line] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert (line["key"], line["source"], line["parent"]) == ("hq", "REFERRAL", None)
    call_command("export", "客户", "--by", "zhao", "--format", "csv", "--out", str(path))
    assert len(path.read_text("utf-8-sig").splitlines()) == 1
    assert AccessLog._base_manager.filter(kind="EXPORT").count() == 2


def test_a_token_is_printed_once_and_works(company):
    out = io.StringIO()
    call_command("token", "li", stdout=out)
    assert tokens.holder(out.getvalue().strip(), now=timezone.now()) == company.li
    call_command("token", "li", "--revoke", stdout=out)
    assert tokens.holder(out.getvalue().split()[0], now=timezone.now()) is None
