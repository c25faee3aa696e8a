"""A company's own template (docx), filled in with the words offered and nothing else.

Templates are written in the language of Jinja. Here it is cut down to what a document needs: a
word, one line for each of a list, a condition. No function, no filter, no attribute of an object
can be reached, since every value is a text or a mapping that the caller handed in.
"""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

import docx as word
import jinja2
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.shared import Pt
from docxtpl import DocxTemplate
from jinja2 import nodes, sandbox
from lxml import etree

from fangyuan.core.press.wrong import Wrong

LARGEST: Final = 60 << 20  # unpacked
LISTED: Final = 12
NOT_WORD: Final = "这不是 Word 文档（.docx），请用 Word 或 WPS 另存为 docx 再传"
OF_LOOPS: Final = {"index", "first", "last", "length"}
ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Const, nodes.For, nodes.If, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand,
)  # fmt: skip
_TAG: Final = re.compile(r"[{}%#]")


class Language(sandbox.SandboxedEnvironment):
    """Words only: an unknown one is an error, and nothing can be called."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=jinja2.StrictUndefined)
        for table in (self.globals, self.filters, self.tests):
            table.clear()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A word of a mapping, never an attribute."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A word of a mapping, or what a loop knows of itself."""
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, jinja2.runtime.LoopContext) and argument in OF_LOOPS:
            return getattr(obj, argument)
        return self.undefined(obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing may be called."""
        return False


def fill(template: bytes, words: Mapping[str, Any]) -> bytes:
    """The document; raises Wrong where the template asks for something that is not offered."""
    if found := mistakes(template, words, tries=False):
        raise Wrong("；".join(found))
    return _filled(template, words)


def mistakes(template: bytes, words: Mapping[str, Any], *, tries: bool = True) -> list[str]:
    """What is wrong with a template, in sentences that name the place; empty if nothing is."""
    try:
        source = _source(_opened(template))
        found = list(dict.fromkeys(_walk(Language().parse(source), dict(words))))
        if not found and tries:
            _filled(template, words)
    except jinja2.TemplateSyntaxError as wrong:
        where = f"（第 {wrong.lineno} 行附近）" if wrong.lineno > 1 else ""
        return [f"有一处标记写得不完整{where}，请检查 {{{{ }}}} 和 {{% %}} 是否成对"]
    except Wrong as wrong:
        return [str(wrong)]
    more = [f"另有 {len(found) - LISTED} 处"] if len(found) > LISTED else []
    return found[:LISTED] + more


def _filled(template: bytes, words: Mapping[str, Any]) -> bytes:
    document = _opened(template)
    try:
        document.render(dict(words), Language(), autoescape=True)
    except jinja2.TemplateError as wrong:
        raise Wrong(f"模板填不出来：{_plain(str(wrong))}") from wrong
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _opened(template: bytes) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST:
                raise Wrong("文件解开后太大，请去掉大图片再传")
            if any(one.filename.endswith("vbaProject.bin") for one in packed.infolist()):
                raise Wrong("文件里有宏，请另存为不带宏的 docx 再传")
        document = DocxTemplate(io.BytesIO(template))
        document.init_docx()
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError) as wrong:
        if isinstance(wrong, Wrong):
            raise
        raise Wrong(NOT_WORD) from wrong
    except etree.XMLSyntaxError as wrong:
        raise Wrong(NOT_WORD) from wrong
    return document


def _source(document: Any) -> str:
    """The text of body, headers and footers as one template."""
    found = document.patch_xml(document.get_xml())
    for place in (document.HEADER_URI, document.FOOTER_URI):
        for _, part in document.get_headers_footers(place):
            found += document.patch_xml(document.get_part_xml(part))
    return str(found)


def _walk(node: nodes.Node, words: dict[str, Any]) -> Iterator[str]:
    """Whatever this part of a template asks for beyond the words in reach."""
    if not isinstance(node, ALLOWED):
        yield f"“{_said(node)}”不能用：模板里只能写词、{{% for … in … %}} 和 {{% if … %}}"
        return
    if isinstance(node, nodes.For):
        yield from _walk_loop(node, words)
        return
    if isinstance(node, nodes.Name) and node.name not in words:
        yield _unknown(node.name, words)
    elif isinstance(node, nodes.Getattr | nodes.Getitem):
        yield from _walk_word(node, words)
        return
    for below in node.iter_child_nodes():
        yield from _walk(below, words)


def _walk_word(node: Any, words: dict[str, Any]) -> Iterator[str]:
    name = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", "")
    owner = node.node.name if isinstance(node.node, nodes.Name) else ""
    known = words.get(owner)
    if owner and owner not in words:
        yield _unknown(owner, words)
    elif not isinstance(known, Mapping) or name not in known:
        yield _unknown(f"{owner}.{name}" if owner else str(name), _within(owner, known))


def _walk_loop(node: nodes.For, words: dict[str, Any]) -> Iterator[str]:
    listed = words.get(node.iter.name) if isinstance(node.iter, nodes.Name) else None
    if "loop" in words:  # lists hold no lists, so that a loop within a loop could only be a trap
        yield "{% for … %} 里面不能再套一个 {% for … %}"
        return
    if not isinstance(node.target, nodes.Name) or not isinstance(listed, list):
        name = node.iter.name if isinstance(node.iter, nodes.Name) else "…"
        lists = [word for word, value in words.items() if isinstance(value, list)]
        yield f"“{{% for … in {name} %}}”里要写一个清单：{'、'.join(lists) or '这份文书没有清单'}"
        return
    inner = {
        **words,
        node.target.name: listed[0] if listed else {},
        "loop": dict.fromkeys(OF_LOOPS),
    }
    for below in (*node.body, *node.else_):
        yield from _walk(below, inner)


def _within(owner: str, known: Any) -> dict[str, Any]:
    return {f"{owner}.{word}": "" for word in known} if isinstance(known, Mapping) else {}


def _unknown(name: str, words: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, words, n=1, cutoff=0.4)
    hint = f"是不是“{near[0]}”？" if near else ""
    offered = "、".join(one for one in words if one != "loop")
    return f"没有“{name}”这个词。{hint}" + (f"能用的有：{offered}" if offered else "词不能再往下取")


def _said(node: nodes.Node) -> str:
    names = {
        nodes.Call: "函数", nodes.Filter: "过滤器", nodes.Test: "测试", nodes.Assign: "赋值",
        nodes.Include: "include", nodes.Import: "import", nodes.Macro: "宏",
    }  # fmt: skip
    said = names.get(type(node), type(node).__name__.lower())
    name = getattr(node, "name", None)
    return f"{said} {name}" if isinstance(name, str) else said


def _plain(text: Any) -> str:
    return _TAG.sub("", str(text or "")).strip()[:120]


def text(document: bytes) -> str:
    """What a document says in its paragraphs, one a line; tables hold figures and signatures."""
    lines = (one.text.strip() for one in word.Document(io.BytesIO(document)).paragraphs)
    return "\n".join(line for line in lines if line)


def starter(lines: list[str], table: Mapping[str, Any] | None) -> bytes:
    """A template to begin with: a title, paragraphs, and a table that repeats its row."""
    made = word.Document()
    style = made.styles["Normal"]
    style.font.name, style.font.size = "宋体", Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    title, *rest = lines
    run = made.add_paragraph().add_run(title)
    run.bold, run.font.size = True, Pt(18)
    made.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in rest:
        if line == "TABLE" and table:
            _add_table(made, table)
        else:
            made.add_paragraph(line)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _add_table(made: Any, table: Mapping[str, Any]) -> None:
    heads, cells = list(table["columns"]), list(table["columns"].values())
    grid = made.add_table(rows=4, cols=len(heads), style="Table Grid")
    for place, head in enumerate(heads):
        grid.cell(0, place).text = head
        grid.cell(2, place).text = f"{{{{ 行.{cells[place]} }}}}"
    grid.cell(1, 0).text = f"{{%tr for 行 in {table['list']} %}}"
    grid.cell(3, 0).text = "{%tr endfor %}"
