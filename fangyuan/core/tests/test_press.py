"""The press: what stands in a PDF, that it comes out the same each time, what a template may do."""

from __future__ import annotations

import io
import zipfile

import docx as word
import pypdf
import pytest

from fangyuan.core import press
from fangyuan.core.paper import (
    Blanks,
    Column,
    Heading,
    Items,
    Note,
    Pairs,
    Paper,
    Party,
    Seal,
    Strong,
    Table,
    Text,
)
from fangyuan.core.press import docx

WORDS = {
    "客户": "华清<电子>&",
    "编号": "BJ-1",
    "产品": [{"名称": "检测线", "数量": "2 件"}, {"名称": "分拣机", "数量": "1 台"}],
}
LISTED = {"list": "产品", "columns": {"产品": "名称", "数量": "数量"}}


def paper(lines: int = 60) -> Paper:
    """A paper with every kind of block, over several pages."""
    heads = [Column("产品", 3), Column("金额（元）", 1, is_figure=True)]
    rows = [[f"检测线 {number}", f"{number},000.00"] for number in range(lines)]
    blocks = [
        Text("华清电子：", is_indented=False),
        Text(["合计：", Strong("伍拾肆万元整"), ' #set *粗* $x$ \\ @a "引']),
        Table(heads, rows, ("合计", "540,000.00")),
        Heading("付款与交付"),
        Items(["签约付三成", "交货付七成"]),
        Pairs([("收件人", "李明")]),
        Blanks(["签收", "日期"]),
        Seal([Party("监督小组", ["2026 年 5 月 14 日"], ["监督", "小组"])]),
        Note("小字"),
    ]
    return Paper("报价单", "BJ2026-00001", blocks, stamp="草稿")


def read(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content))


def test_a_pdf_says_all_of_it_numbers_its_pages_and_repeats_the_heads():
    pages = [one.extract_text() for one in read(press.pdf(paper())).pages]
    assert len(pages) == 2
    whole = "".join(pages)
    for said in ("华清电子", "伍拾肆万元整", '#set *粗* $x$ \\ @a "引', "检测线 59", "签约付三成"):
        assert said in whole
    assert [f"第 {n} 页，共 2 页" in page for n, page in enumerate(pages, 1)] == [True] * 2
    assert "金额（元）" in pages[0] and "金额（元）" in pages[1]
    assert all("草稿" in page for page in pages)


def test_the_characters_are_carried_by_the_file_itself():
    for page in read(press.pdf(paper(3))).pages:
        for font in page["/Resources"]["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile3" in below["/FontDescriptor"].get_object()
            assert "NotoS" in below["/BaseFont"]


def test_the_same_content_gives_the_same_bytes_and_another_others():
    assert press.pdf(paper(3)) == press.pdf(paper(3))
    assert paper(3).digest == paper(3).digest != paper(4).digest


def test_a_template_to_begin_with_fills_in_every_word():
    made = press.starter(
        ["报价单", "{{ 客户 }}：", "TABLE", "{% if 编号 %}编号 {{ 编号 }}{% endif %}"], LISTED
    )
    assert press.check(made, WORDS) == []
    filled = word.Document(io.BytesIO(press.document(made, WORDS)))
    assert [one.text for one in filled.paragraphs] == ["报价单", "华清<电子>&：", "编号 BJ-1"]
    rows = [[cell.text for cell in row.cells] for row in filled.tables[0].rows]
    assert rows == [["产品", "数量"], ["检测线", "2 件"], ["分拣机", "1 台"]]


ASKED = [
    ("{{ 客户名 }}", "没有“客户名”这个词。是不是“客户”？"),
    ("{% for 行 in 产品 %}{{ 行.名 }}{% endfor %}", "没有“行.名”这个词。是不是“行.名称”？"),
    ("{% for 字 in 客户 %}{{ 字 }}{% endfor %}", "里要写一个清单：产品"),
    ("{{ 客户", "标记写得不完整"),
    ("{{ 客户.__class__ }}", "没有“客户.__class__”这个词"),
    ("{{ ''.__class__.__mro__ }}", "没有“__mro__”这个词"),
    ("{{ cycler.__init__.__globals__ }}", "没有“__globals__”这个词"),
    ("{{ self.__dict__ }}", "没有“self”这个词"),
    ("{% for n in range(9) %}{{ n }}{% endfor %}", "里要写一个清单"),
    ("{% for a in 产品 %}{% for b in 产品 %}{% endfor %}{% endfor %}", "不能再套一个"),
    ("{{ range(9) }}", "“函数”不能用"),
    ("{{ 客户|upper }}", "“过滤器 upper”不能用"),
    ("{% set a = 1 %}", "“赋值”不能用"),
    ("{% include 'x' %}", "“include”不能用"),
]


def test_a_template_reaches_nothing_but_the_words_offered():
    for written, said in ASKED:
        found = docx.mistakes(docx.starter(["标题", written], None), WORDS)
        assert any(said in one for one in found), (written, found)


def test_what_is_wrong_with_a_template_stops_it_with_the_same_words():
    with pytest.raises(press.Unprintable, match="没有“客户名”这个词"):
        press.document(press.starter(["标题", "{{ 客户名 }}"]), WORDS)


def test_what_is_no_document_of_word_is_refused_in_words():
    assert "不是 Word 文档" in press.check(b"PK\x03\x04rest", WORDS)[0]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("word/document.xml", b"0" * (61 << 20))
    assert "太大" in press.check(packed.getvalue(), WORDS)[0]
