"""Import and export on the page: look before you write, correct, take back; export."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.customers.models import Customer
from fangyuan.desk.exchange import batches, columns, load
from fangyuan.desk.models import ImportBatch
from fangyuan.engine.models import Request

FILE = (
    "客户名称,来源,信息获取,注册地址\n"
    "甲公司,客户推荐,2026-01-05,苏州\n"
    "乙公司,没有,2026-01-05,无锡\n"
)
COLUMNS = {
    "column.0": "name",
    "column.1": "source",
    "column.2": "learned_at",
    "column.3": "address",
}


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    """Uploads go to a folder of the test."""
    settings.MEDIA_ROOT = tmp_path


def uploaded(browser, text=FILE, name="客户.csv"):
    """Upload a file; gives the address of its batch."""
    file = SimpleUploadedFile(name, text.encode())
    response = browser.post("/customer/import", {"file": file})
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def body(response):
    """The bytes of a file sent; reading it to its end closes it."""
    return b"".join(response.streaming_content)


def test_a_file_is_looked_at_run_corrected_and_taken_back(visit):
    browser = visit("wang")
    address = uploaded(browser)
    preview = browser.get(address).content.decode()
    assert "甲公司" in preview and "客户名称" in preview
    browser.post(address, {**COLUMNS, "mode": "OVERWRITE", "partial": "on"})
    batch = ImportBatch._base_manager.get()
    assert (batch.stage, batch.total, batch.passed, batch.failed) == ("DONE", 2, 1, 1)
    result = browser.get(address).content.decode()
    assert "新建 1 行" in result and "第 3 行“来源”的值“没有”" in result
    workbook = body(browser.get(f"{address}/mistakes"))
    sheet = list(load_workbook(io.BytesIO(workbook)).active.values)
    assert sheet[0] == ("客户名称", "来源", "信息获取", "注册地址", "错误")
    assert sheet[1][0] == "乙公司" and "字典里没有这一项" in sheet[1][4]
    assert Customer._base_manager.filter(name="甲公司", removed_at=None).exists()
    browser.post(f"{address}/undo")
    assert not Customer._base_manager.filter(name="甲公司", removed_at=None).exists()
    assert ImportBatch._base_manager.get().stage == "UNDONE"


def test_taking_back_restores_what_was_and_leaves_later_changes(visit, company):
    browser = visit("li")
    address = uploaded(browser, "key,name,address\nhq,华清电子股份,昆山\n")
    values = {"column.0": "key", "column.1": "name", "column.2": "address", "mode": "OVERWRITE"}
    browser.post(address, values)
    company.customer.refresh_from_db()
    assert company.customer.name_key == "华清电子股份"
    browser.post(f"{address}/undo")
    company.customer.refresh_from_db()
    assert (company.customer.name, company.customer.address) == (
        "华清电子有限公司",
        "苏州市工业园区星湖街 1 号",
    )
    assert company.customer.name_key == "华清电子有限公司"
    again = uploaded(browser, "key,name,address\nhq,华清电子股份,昆山\n")
    browser.post(again, values)
    company.customer.refresh_from_db()
    door.change(company.customer, {"address": "太仓"}, by=company.li)
    assert "没有动" in browser.post(f"{again}/undo", follow=True).content.decode()
    company.customer.refresh_from_db()
    assert company.customer.address == "太仓"


def test_a_large_file_waits_for_the_worker_and_a_dead_run_is_closed(visit, monkeypatch):
    monkeypatch.setattr(batches, "SMALL", 0)
    browser = visit("wang")
    address = uploaded(browser, FILE.replace("没有", "客户推荐"))
    browser.post(address, {**COLUMNS, "mode": "OVERWRITE"})
    assert "排队" in browser.get(address).content.decode()
    assert batches.run_waiting() == 1
    batch = ImportBatch._base_manager.get()
    assert (batch.stage, batch.passed) == ("DONE", 2)
    with door.acting(by=None, action="test") as deed:
        deed.change(batch, {"stage": "RUNNING"})
    assert batches.recover() == 1
    batch.refresh_from_db()
    assert batch.stage == "REFUSED" and "没有写入" in batch.message


@pytest.mark.parametrize("name", ["空.csv", "假.xlsx", "坏.jsonl"])
def test_what_is_no_table_is_refused_in_words(visit, name):
    sent = {"空.csv": b"", "假.xlsx": b"PK\x03\x04nonsense", "坏.jsonl": b"[1,2"}[name]
    response = visit("wang").post("/customer/import", {"file": SimpleUploadedFile(name, sent)})
    assert response.status_code == 400
    assert not ImportBatch._base_manager.exists()


def test_others_may_neither_see_nor_take_back_an_import(visit):
    address = uploaded(visit("li"))
    assert visit("zhao").get(address).status_code == 404
    assert visit("zhao").post(f"{address}/undo").status_code == 404


def test_an_export_holds_what_one_may_see_is_marked_and_logged(visit, company):
    assert "华清" not in body(visit("zhao").get("/customer/export?format=csv")).decode()
    text = body(visit("li").get("/customer/export?format=csv")).decode("utf-8-sig")
    lines = text.splitlines()
    assert "小李 导出于" in lines[0] and lines[1].startswith("外部编号,法定全称")
    assert lines[2].startswith("hq,华清电子有限公司")
    trace = AccessLog._base_manager.filter(kind="EXPORT", person=company.li).get()
    assert (trace.rows, trace.purpose) == (1, "customer")
    assert visit("li").get("/customer/export?nonsense=1").status_code == 400
    assert visit("li").get("/customer/export?format=exe").status_code == 400
    contacts = body(visit("li").get("/contact/export?format=csv")).decode("utf-8-sig")
    assert "13800138000" not in contacts and "138****8000" in contacts


def test_a_large_export_waits_for_the_word_of_a_superior(visit, company, rule):
    rule(
        "APPROVAL", "access_log", number="DAY-3.1.3", on="export",
        where={"rows": {"above": 0}}, approvers=["ka_manager"], mode="in_order",
    )  # fmt: skip
    browser = visit("li")
    for _ in range(2):
        answer = browser.get("/customer/export", follow=True)
        assert "要先批准（DAY-3.1.3），已提交审批，等 王总" in answer.content.decode()
    request = Request._base_manager.get()
    assert (request.action, request.asked_by, request.state) == (
        "access_log.export",
        company.li,
        "WAITING",
    )
    door.decide(request, "AGREE", by=company.wang)
    assert body(browser.get("/customer/export")).startswith(b"PK")
    assert browser.get("/customer/export?grade=D").status_code == 302


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_an_export_reads_back_the_same(visit, company, form, tmp_path):
    nasty = "=HYPERLINK(1) 'x"
    with door.acting(by=None, action="test") as deed:
        deed.change(company.customer, {"address": nasty, "special_need": "-1;\n两行"})
    company.customer.refresh_from_db()
    sent = body(visit("li").get(f"/customer/export?format={form}"))
    revision = company.customer.revision
    path = tmp_path / f"back.{form}"
    path.write_bytes(sent)
    outcome = load.run(load.Order(model=columns.type_of("customer"), path=path, by=None))
    assert [str(m) for m in outcome.mistakes] == [] and outcome.unchanged == 1
    company.customer.refresh_from_db()
    assert (company.customer.address, company.customer.revision) == (nasty, revision)
