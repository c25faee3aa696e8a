"""Typing mistakes in desks are found when the system starts, with the nearest name that exists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from django.core import checks

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import records
from fangyuan.desk import columns, declare, filters, panels


@checks.register()
def sound_desks(**_: Any) -> list[checks.CheckMessage]:
    """Look at every desk."""
    found: list[checks.CheckMessage] = []
    for desk in declare.desks():
        found += [_error(desk, part, name, known) for part, name, known in _unknown(desk)]
        if desk.name not in table.table().records:
            hint = "在 access/roles.yaml 的 records 里加一行"
            text = f"{desk.name}：权限表里没有这个类型"
            found.append(checks.Error(text, hint=hint, id="desk.E001"))
    return found


def _unknown(desk: declare.Desk) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Names in a desk that mean nothing: part of the desk, name, names that would do."""
    known = _fields(desk.model)
    for part, names in _named(desk):
        yield from ((part, name, known) for name in names if name not in known)
    verbs = {v.name for v in door.VERBS.values() if v.record == desk.name}
    for part in ("actions", "bulk_actions"):
        yield from ((part, n, verbs) for n in getattr(desk, part) if n not in verbs)
    reverse = {r.name for r in desk.model._meta.related_objects}
    yield from (("form", s.of, reverse) for s in desk.form if s.of and s.of not in reverse)
    for name in desk.through:
        yield from _pointing("through", *name.partition(".")[::2])
    for section in (one for one in desk.form if one.of in reverse):
        child = _fields(desk.model._meta.get_field(section.of).related_model)
        yield from (("form", n, child) for n in section.fields if n not in child)
    for panel in desk.page:
        if isinstance(panel, panels.Related):
            yield from _pointing("page", panel.record, panel.by)


def _pointing(part: str, record: str, by: str) -> Iterator[tuple[str, str, Iterable[str]]]:
    types = records.row_types()
    if record not in types:
        yield part, record, types
    elif by not in (known := _fields(types[record])):
        yield part, by, known


def _fields(model: Any) -> set[str]:
    plain = {f.name for f in model._meta.concrete_fields}
    return plain | set(getattr(model, "any_fields", {}))


def _named(desk: declare.Desk) -> Iterator[tuple[str, Iterable[str]]]:
    own = {one.name for one in columns.columns(desk)}
    yield "columns", [name for one in columns.columns(desk) for name in one.fields()]
    plain = [one for one in desk.filters if not isinstance(one, filters.Filter)]
    yield "filters", [name for name in plain if name not in filters.SPECIAL]
    yield "search", [name for name in desk.search if "__" not in name]
    yield "sorts", [name for name in desk.sorts if name != "due"]
    yield "default_sort", [n for n in [desk.default_sort.lstrip("-")] if n != "due"]
    yield "form", [n for s in desk.form if not s.of for n in s.fields]
    yield "head", [name for name in desk.head if name not in own]
    for part in ("badges", "inline", "bulk"):
        yield part, getattr(desk, part)
    yield "board", [desk.board] if desk.board else []


def _error(desk: declare.Desk, part: str, name: str, known: Iterable[str]) -> checks.CheckMessage:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"是不是“{near[0]}”？" if near else "可用的：" + "、".join(sorted(known)[:30])
    return checks.Error(f"{desk.name} 的 {part}：没有“{name}”", hint=hint, id="desk.E002")
