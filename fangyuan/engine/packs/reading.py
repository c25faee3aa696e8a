"""Reading a YAML 1.2 file into plain values, keeping the line of every one of them.

Refuses what a regulation never needs and an attacker likes: anchors, tags, endless nesting, size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_BYTES: Final = 2_000_000
MAX_DEPTH: Final = 24
Path_ = tuple[str | int, ...]

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,18}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)


class Unreadable(Exception):
    """The text is no YAML that a pack may be written in; carries the line and a sentence."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


@dataclass
class Source:
    """The values of one file and the line of each."""

    value: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    repeated: list[tuple[Path_, int]] = field(default_factory=list)

    def line(self, path: Path_) -> int:
        """The line of a value, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_file(path: Path) -> Source:
    """Read a file; raises Unreadable."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(1, "文件超过 2 MB，请拆成几份制度")
        return read(path.read_bytes())
    except OSError as wrong:
        raise Unreadable(1, f"文件打不开：{wrong.strerror}") from wrong


def read(content: bytes) -> Source:
    """Read the bytes of a file; raises Unreadable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content[: wrong.start].count(b"\n") + 1
        raise Unreadable(line, "不是 UTF-8 编码，请另存为 UTF-8") from wrong
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise Unreadable(line, "不合 YAML 写法，请核对这一行的缩进、冒号和引号") from wrong
    except RecursionError as wrong:
        raise Unreadable(1, "嵌套太深，请展开来写") from wrong
    except (ValueError, AttributeError, TypeError, IndexError, KeyError) as wrong:
        # The parser stumbles over some malformed texts instead of refusing them.
        raise Unreadable(1, "不合 YAML 写法，请核对缩进、冒号和引号") from wrong
    if root is None:
        raise Unreadable(1, "文件是空的，请写上 policy、title、version、from 和 chapters")
    source = Source(None)
    source.value = _Reader(source).value(root, ())
    return source


class _Reader:
    """Turns nodes into values once, noting lines on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()

    def value(self, node: Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        if id(node) in self.seen or getattr(node, "anchor", None):
            raise Unreadable(line, "不用锚点和别名（& 和 *），请把内容写全")
        if len(path) > MAX_DEPTH:
            raise Unreadable(line, "嵌套太深，请展开来写")
        if node.tag is not None and str(node.tag) not in _TAGS:
            raise Unreadable(line, "不用类型标记（!），请直接写值")
        self.seen.add(id(node))
        self.source.lines.setdefault(path, line)
        if isinstance(node, MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _items(self, node: MappingNode, path: Path_) -> Iterator[tuple[str, Any]]:
        known: set[str] = set()
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise Unreadable(line, "名称要写成一个词")
            name = str(key.value)
            if name == "<<" and key.style is None:
                raise Unreadable(line, "不用合并写法（<<），请把内容写全")
            if name in known:
                self.source.repeated.append(((*path, name), line))
            known.add(name)
            self.source.lines[(*path, name)] = line
            yield name, self.value(item, (*path, name))


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if "\x00" in text or not text.isprintable() and any("\ud800" <= c <= "\udfff" for c in text):
        raise Unreadable(node.start_mark.line + 1, "有不能保存的字符，请删掉")
    if node.style is not None:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text) if math.isfinite(float(text)) else text
    return text
