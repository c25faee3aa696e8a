"""Uploaded tables: what is read, what is refused, and that what is written reads back the same."""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from fangyuan.core import tables
from fangyuan.core.tables import separated

SMALL = tables.Limits(size=10**6, unpacked=2 * 10**6, text=10**6, rows=50, columns=10, cell=100)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER = ["客户名称", "电话", "备注"]


def csv_of(content: str | bytes, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(content if isinstance(content, bytes) else content.encode(encoding))


def xlsx_of(rows: Sequence[Sequence[object]], *merges: str) -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    target = io.BytesIO()
    book.save(target)
    return target


def repacked(source: io.BytesIO, changes: dict[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *changes}:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return target


def sheet_xml(rows: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def forged(rows: str) -> io.BytesIO:
    return repacked(xlsx_of([["a"]]), {"xl/worksheets/sheet1.xml": sheet_xml(rows)})


def read(source: io.BytesIO, limits: tables.Limits = tables.DEFAULT) -> list[tables.Row]:
    with tables.read_table(source, limits=limits) as table:
        return list(table)


def refused(source: io.BytesIO, limits: tables.Limits = tables.DEFAULT) -> str:
    with pytest.raises(tables.TableError) as told:
        read(source, limits)
    return str(told.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_is_decoded_by_rule_in_every_usual_encoding(encoding: str) -> None:
    with tables.read_table(csv_of("客户名称,电话\n华盛云达,13800138000\n", encoding)) as table:
        assert table.header == ["客户名称", "电话"]
        assert list(table) == [tables.Row(2, ["华盛云达", "13800138000"], {})]


def test_a_short_gbk_file_is_not_taken_for_another_encoding() -> None:
    assert read(csv_of("姓名,电话\n张三,138\n", "gbk"))[0].cells == ["张三", "138"]


def test_what_is_in_no_known_encoding_is_refused() -> None:
    assert "UTF-8" in refused(csv_of(b"a,b\n\xff\xff,\x80\n"))
    assert "UTF-8" in refused(csv_of(b"\xef\xbb\xbfa,b\n\xc3\x28,1\n"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_the_header_has_most_of(separator: str) -> None:
    rows = read(csv_of(f'"名,称"{separator}乙{separator}丙\n1{separator}"2;3"{separator}\n'))
    assert rows[0].cells == ["1", "2;3", ""]


def test_quotes_line_breaks_and_blank_rows_are_read_as_a_spreadsheet_does() -> None:
    rows = read(csv_of('\n\n名称,备注\n"华""盛","一\n二"\n,\n短\n'))
    assert [(row.number, row.cells) for row in rows] == [(4, ['华"盛', "一\n二"]), (6, ["短", ""])]


def test_an_unclosed_quote_is_told_with_its_row() -> None:
    assert "第 3 行" in refused(csv_of('名称,备注\n甲,乙\n"丙,丁\n'))


def test_a_title_above_the_header_is_skipped_and_said() -> None:
    with tables.read_table(xlsx_of([["客户清单"], [], ["名称", "电话"], ["甲", 1]])) as table:
        assert (table.header, table.header_row) == (["名称", "电话"], 3)
        assert table.notes == ["第 1 行只有一格，当作标题跳过"]
        assert [row.number for row in table] == [4]


def test_a_table_of_one_column_has_its_first_row_as_header() -> None:
    with tables.read_table(csv_of("名称\n甲\n乙\n")) as table:
        assert table.header == ["名称"]
        assert [row.cells for row in table] == [["甲"], ["乙"]]


def test_a_column_named_twice_is_refused() -> None:
    assert (
        refused(csv_of("名称,电话,名称 \n甲,1,乙\n")) == "表头「名称」出现了 2 次，每列名称须不同"
    )


def test_content_without_a_header_is_reported_at_its_row() -> None:
    rows = read(csv_of("名称,,电话\n甲,,1\n乙,丙,2\n丁,,3,4\n"))
    assert [row.cells for row in rows] == [["甲", "1"], ["乙", "2"], ["丁", "3"]]
    assert rows[0].problems == {}
    assert rows[1].problems == {2: "B 列没有表头，内容「丙」未读入"}
    assert "D 列" in rows[2].problems[2]


@pytest.mark.parametrize("char", ["\x07", "\x1b", "\x7f", "\x85", "\ufffe"])
def test_control_characters_are_refused_at_their_cell(char: str) -> None:
    rows = read(csv_of(f"名称,电话\n甲{char},1\n"))
    assert list(rows[0].problems) == [0]
    assert f"U+{ord(char):04X}" in rows[0].problems[0]


def test_a_file_with_nul_bytes_is_no_text() -> None:
    assert "不是文本" in refused(csv_of(b"a,b\n\x00,1\n"))


def test_typed_cells_become_text_without_loss() -> None:
    values = [
        13800138000, 0.1 + 0.2, -0.5, 1e-7, True, False, date(2026, 11, 20),
        datetime(2026, 11, 20, 9, 30, 15), time(8, 5), timedelta(hours=30, minutes=5),
        " 两端 ", "007",
    ]  # fmt: skip
    header = [f"列{n}" for n in range(len(values))]
    assert read(xlsx_of([header, values]))[0].cells == [
        "13800138000", "0.3", "-0.5", "0.0000001", "是", "否", "2026-11-20",
        "2026-11-20 09:30:15", "08:05:00", "30:05:00", " 两端 ", "007",
    ]  # fmt: skip


def test_digits_that_the_spreadsheet_lost_are_reported() -> None:
    row = read(xlsx_of([["名称", "证号"], ["甲", 110101199003078515]]))[0]
    assert "15 位" in row.problems[1]


def test_error_values_and_formulas_never_calculated_are_reported() -> None:
    rows = forged(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>名称</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>值</t></is></c></row>'
        '<row r="2"><c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B2"><f>1+1</f></c></row>'
        '<row r="3"><c r="A3"><f>1+1</f><v>2</v></c><c r="B3" t="str"><f>""</f><v></v></c></row>'
    )
    first, second = read(rows)
    assert "#DIV/0!" in first.problems[0]
    assert "没有算出值" in first.problems[1]
    assert (second.cells, second.problems) == (["2", ""], {})


def test_a_prefixed_worksheet_is_judged_like_any_other() -> None:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = (
        f'<x:worksheet xmlns:x="{space}"><x:sheetData>'
        '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1"><x:v>2</x:v></x:c></x:row>'
        '<x:row r="2"><x:c r="A2" t="e"><x:v>#N/A</x:v></x:c><x:c r="B2"><x:v>3</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    source = repacked(xlsx_of([["a"]]), {"xl/worksheets/sheet1.xml": xml.encode()})
    assert "#N/A" in read(source)[0].problems[0]


def test_cells_merged_downwards_are_filled_and_said() -> None:
    rows = [["部门", "姓名", "备注"], ["一部", "甲", ""], ["", "乙", ""], ["二部", "丙", "x"]]
    with tables.read_table(xlsx_of(rows, "A2:A3", "B4:C4")) as table:
        assert [row.cells[0] for row in table] == ["一部", "一部", "二部"]
        assert any("A2 是上下合并" in note for note in table.notes)
        assert any("B4 是左右合并" in note for note in table.notes)


def test_a_header_of_two_rows_is_refused() -> None:
    rows = [["名称", "联系", ""], ["", "电话", "邮箱"], ["甲", "1", "2"]]
    assert "表头占了两行" in refused(xlsx_of(rows, "A1:A2", "B1:C1"))


def test_the_first_visible_sheet_is_read_unless_another_is_named() -> None:
    book = openpyxl.Workbook()
    hidden, shown = book.active, book.create_sheet("客户")
    assert hidden is not None
    hidden.sheet_state = "hidden"
    shown.append(["名称", "电话"])
    other = book.create_sheet("联系人")
    other.append(["姓名", "职位"])
    target = io.BytesIO()
    book.save(target)
    with tables.read_table(target) as table:
        assert (table.sheet, table.sheets) == ("客户", ("客户", "联系人"))
    with tables.read_table(target, sheet="联系人") as table:
        assert table.header == ["姓名", "职位"]
    with pytest.raises(tables.TableError, match="没有名为"):
        tables.read_table(target, sheet="线索")


def macro_book() -> io.BytesIO:
    return repacked(xlsx_of([["a", "b"]]), {"xl/vbaProject.bin": b"x"})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (csv_of(b""), "空的"),
        (csv_of("\n\n"), "空的"),
        (xlsx_of([]), "空的"),
        (csv_of(OLE + b"\0" * 600), ".xls"),
        (csv_of(OLE + "EncryptedPackage".encode("utf-16-le")), "密码"),
        (csv_of("<html><table><tr><td>1</td></tr></table>"), "网页"),
        (csv_of(b"%PDF-1.7 ..."), "不是表格"),
        (csv_of(b"PK\x03\x04 not a zip"), "损坏"),
        (macro_book(), "宏"),
        (repacked(xlsx_of([["a"]]), {"xl/workbook.bin": b"x"}), ".xlsb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_plain_table_is_refused_by_name(source: io.BytesIO, told: str) -> None:
    assert told in refused(source)


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "不是 Excel" in refused(target)


def test_limits_are_kept() -> None:
    assert "行数超过 50" in refused(csv_of("a,b\n" + "1,2\n" * 51), SMALL)
    assert "行数超过 50" in refused(xlsx_of([["a", "b"]] + [[1, 2]] * 200), SMALL)
    assert "超过 10 列" in refused(csv_of(",".join(f"c{n}" for n in range(11)) + "\n"), SMALL)
    assert "超过 10 列" in refused(xlsx_of([[f"c{n}" for n in range(11)]]), SMALL)
    assert "表头过长" in refused(csv_of("长" * 101 + ",b\n"), SMALL)
    assert "MB" in refused(csv_of("a,b\n" + "1,2\n" * 400_000), SMALL)
    assert "内容过长" in read(csv_of("a,b\n" + "x" * 101 + ",1\n"), SMALL)[0].problems[0]
    assert "超过 0 秒" in refused(csv_of("a,b\n" * 600), tables.Limits(seconds=0))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = repacked(xlsx_of([["a"]]), {"xl/media/zero.bin": b"\0" * 5_000_000})
    assert len(bomb.getvalue()) < 50_000
    assert "展开后" in refused(bomb, SMALL)


def test_a_directory_that_lies_about_sizes_is_not_believed() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 40_000))
    content = sheet_xml(rows)
    real, told = len(content).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    whole = repacked(xlsx_of([["a"]]), {"xl/worksheets/sheet1.xml": content}).getvalue()
    assert whole.count(real) >= 1
    assert "损坏" in refused(io.BytesIO(whole.replace(real, told)))


def test_damaged_workbooks_are_read_or_refused_but_never_break() -> None:
    for seed in range(300):
        try:
            read(damaged_book(seed))
        except tables.TableError as told:
            assert re.search("[一-龥]", str(told)), seed


def damaged_book(seed: int) -> io.BytesIO:
    dice = Random(seed)
    source = xlsx_of([["名称", "电话"], ["甲", 1], [True, 0.5], [date(2026, 1, 2), "=1+1"]])
    if seed % 3 == 0:
        return io.BytesIO(scratched(source.getvalue(), dice))
    with zipfile.ZipFile(source) as archive:
        part = dice.choice([n for n in archive.namelist() if n.endswith((".xml", ".rels"))])
        content = archive.read(part)
    return repacked(source, {part: bytes(scratched(content, dice))})


def scratched(content: bytes, dice: Random) -> bytearray:
    found = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(found))
        found[place : place + dice.randint(0, 3)] = dice.choice(
            [b"", b"<", b'"', b"9e999", b"\xff"]
        )
    return found


def test_one_far_cell_does_not_make_a_giant() -> None:
    cell = '<c r="A1"><v>1</v></c>'
    assert "XFD 列" in refused(forged(f'<row r="1">{cell}<c r="XFD1"><v>1</v></c></row>'))
    far = '<row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    assert read(forged(f'<row r="1">{cell}</row>{far}')) == [tables.Row(1_048_576, ["2"], {})]


def test_forged_counts_of_shared_texts_are_not_believed() -> None:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    count = 'count="31199999999976" uniqueCount="31199999999976"'
    shared = f'<sst xmlns="{space}" {count}><si><t>名称</t></si><si><t>甲</t></si></sst>'
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n - 1}</v></c></row>' for n in (1, 2, 3))
    found = read(repacked(forged(rows), {"xl/sharedStrings.xml": shared.encode()}))
    assert [row.cells for row in found] == [["甲"], [""]]
    assert "读不出来" in found[1].problems[0]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9, allow_nan=False),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)),
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)),
    st.times(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]), max_size=12),
    st.sampled_from(["=1+1", "&lt;<>&\"'", "a\nb", "_x0041_", " 两端 "]),
)


@given(st.lists(st.lists(VALUES, min_size=2, max_size=4), min_size=1, max_size=6), st.booleans())
@settings(deadline=None)
def test_the_quick_reader_and_the_xml_parser_agree(
    values: list[list[object]], is_1904: bool
) -> None:
    book = openpyxl.Workbook()
    if is_1904:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append(["列一", "列二", "列三", "列四"])
    for row in values:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as archive:
        content = archive.read("xl/worksheets/sheet1.xml")
    # A comment before the rows is not of the plain form, so all is left to the parser.
    parsed = content.replace(b"<row ", b"<!-- --><row ", 1)
    assert parsed != content
    assert read(written) == read(repacked(written, {"xl/worksheets/sheet1.xml": parsed}))


def test_dates_read_as_another_reader_reads_them(samples: Path) -> None:
    source = samples / "messy_xlsx_few" / "issues.xlsx"
    other = openpyxl.load_workbook(source, data_only=True)
    for sheet in other.worksheets:
        try:
            with tables.read_table(source, sheet=sheet.title) as table:
                found = [list(table.header), *(row.cells for row in table)]
        except tables.TableError:
            continue
        days = [
            str(v.date())
            for r in sheet.iter_rows()
            for c in r
            if isinstance(v := c.value, datetime)
        ]
        assert set(days) <= {cell[:10] for row in found for cell in row}


def test_a_document_type_in_a_workbook_is_refused() -> None:
    book = b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'
    assert "文档类型" in refused(repacked(xlsx_of([["a"]]), {"xl/workbook.xml": book}))
    sheet = b"<!DOCTYPE x>" + sheet_xml("")
    assert "文档类型" in refused(repacked(xlsx_of([["a"]]), {"xl/worksheets/sheet1.xml": sheet}))


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        " =1",
        "'=1",
        "''=1",
    ],
)
def test_a_text_like_a_formula_is_guarded_in_csv_and_reads_back(cell: str) -> None:
    target = io.BytesIO()
    tables.write_csv(target, HEADER, [["甲", cell, ""]])
    assert f"'{cell}" in target.getvalue().decode("utf-8-sig")
    assert read(target)[0].cells[1] == cell


@pytest.mark.parametrize(
    "cell", ["+8613800138000", "+86 138 0013 8000", "-12.50", "-", "12%", "'abc"]
)
def test_numbers_and_telephones_stay_as_they_are_in_csv(cell: str) -> None:
    assert separated.guarded(cell) == cell


CELLS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cn"]), max_size=20)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
@settings(deadline=None)
def test_any_text_written_reads_back_from_both_formats(rows: list[tuple[str, str, str]]) -> None:
    kept = [list(row) for row in rows if any(cell.strip() for cell in row)]
    for write in (tables.write_csv, tables.write_xlsx):
        target = io.BytesIO()
        write(target, HEADER, rows)  # type: ignore[operator]
        assert [row.cells for row in read(target)] == kept


def test_naughty_strings_read_back_or_are_reported(samples: Path) -> None:
    source = samples / "naughty_strings" / "blns_every_8th.json"
    strings = json.loads(source.read_text(encoding="utf-8"))
    for write in (tables.write_csv, tables.write_xlsx):
        target = io.BytesIO()
        write(target, ["名称", "内容"], [[str(n), text] for n, text in enumerate(strings)])
        rows = read(target)
        assert len(rows) == len(strings)
        for row, text in zip(rows, strings, strict=True):
            assert row.cells[1] == text or row.problems, text


def test_values_are_written_as_text_except_in_columns_of_numbers() -> None:
    rows: list[list[tables.Value]] = [
        ["00123", Decimal("12.50"), date(2026, 11, 20)],
        ["13800138000", None, datetime(2026, 11, 20, 1, 0, tzinfo=UTC)],
        ["甲", Decimal("1234567890123456.78"), True],
    ]
    target = io.BytesIO()
    tables.write_xlsx(target, ["编号", "金额", "值"], rows, numbers=["金额"])
    sheet = openpyxl.load_workbook(target).active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["00123", 12.5, "2026-11-20"],
        ["13800138000", None, "2026-11-20 09:00:00"],
        ["甲", "1234567890123456.78", "是"],
    ]


def test_a_table_without_rows_still_has_its_header() -> None:
    for write in (tables.write_csv, tables.write_xlsx):
        target = io.BytesIO()
        write(target, HEADER, [])
        with tables.read_table(target) as table:
            assert table.header == HEADER
            assert list(table) == []


def test_a_workbook_cell_too_long_for_excel_is_refused_when_written() -> None:
    with pytest.raises(tables.TableError, match="第 2 行"):
        tables.write_xlsx(io.BytesIO(), ["名称"], [["x" * 32_768]])


def test_the_two_date_systems_give_the_same_days(samples: Path) -> None:
    found = []
    for name in ("date.xlsx", "date_1904.xlsx"):
        with tables.read_table(samples / "messy_xlsx_few" / name) as table:
            found.append([table.header, *(row.cells for row in table)])
    assert found[0] == found[1]
    assert found[0][0] == ["2021-01-01", "15"]


def test_messy_workbooks_are_read_or_refused_in_chinese(samples: Path) -> None:
    folder = samples / "messy_xlsx_few"
    for name, told in (
        ("errors.xlsx", "错误值 #DIV/0!"),
        ("merge_cells.xls", "旧版 .xls"),
        ("merged_range.xlsx", "表头占了两行"),
    ):
        with pytest.raises(tables.TableError, match=told):
            tables.read_table(folder / name)


def test_a_real_gbk_export_is_read_whole(samples: Path) -> None:
    folder = samples / "supermarket_gbk"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    with tables.read_table(folder / "order-14.3.csv") as table:
        assert table.encoding == "gb18030"
        place = table.header.index("订单ID")
        rows = list(table)
    assert len(rows) == expected["rows"]
    assert len({row.cells[place] for row in rows}) == expected["orders"]
    assert not any(row.problems for row in rows)


def test_real_company_records_survive_a_round_trip_through_a_workbook(samples: Path) -> None:
    source = samples / "cn_enterprises_sample" / "enterprises_sample.csv"
    with tables.read_table(source) as table:
        header, rows = table.header, [row.cells for row in table]
    target = io.BytesIO()
    tables.write_xlsx(target, header, rows)
    assert [row.cells for row in read(target)] == rows
    assert len(rows) == 400
