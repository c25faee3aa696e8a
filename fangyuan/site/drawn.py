"""Rows that a page shows by the dozen, drawn by functions: a template takes ten times as long.

All text is escaped here. A row that people see once a page stays a template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from fangyuan.site import display, marks
from fangyuan.site.marks import escape

LONGEST, LONGEST_NOTE = 80, 60
HIDDEN = "不在你的权限内"


def short(text: object, most: int) -> str:
    """The text, cut with an ellipsis, escaped."""
    said = str(text)
    return escape(said if len(said) <= most else said[: most - 1] + "…")


def cell(
    one: Any, now: datetime, *, url: str = "", token: str = "", is_wrapped: bool = False
) -> SafeString:
    """The value of a column (`columns.Cell`).

    A masked number has a small form that asks for it: under the row's `url`, sent with `token`.
    """
    kind, value = one.kind, one.value
    if kind in _CELLS:
        return SafeString(_CELLS[kind](one, now))
    if kind == "mask":
        return _masked(one, url, token)
    if kind == "due":
        return _due(value, now, is_wrapped)
    return SafeString(short(value, LONGEST_NOTE if kind == "note" else LONGEST))


def rows(lines: Iterable[Any], places: Sequence[Any], now: datetime, token: str) -> SafeString:
    """The rows of a list (`pages.Line`) under its columns (`pages.Place`)."""
    opens = [f"<td{place.attributes}>" for place in places]
    drawn = [_row(line, opens, now, token) for line in lines]
    return SafeString("".join(drawn))


def _row(line: Any, opens: Sequence[str], now: datetime, token: str) -> str:
    cells = []
    for open_, one in zip(opens, line.cells, strict=True):
        shown = cell(one, now, url=line.url, token=token)
        pencil = edit(line.url, one.field) if one.field in line.editable else ""
        cells.append(f"{open_}{shown}{pencil}</td>")
    return (
        f'<tr data-row="{escape(line.page)}" id="r-{line.pk}"><td class="hide-m pickcell">'
        f'<input class="ck pick" type="checkbox" name="pick" value="{line.pk}" form="bulk"'
        f' aria-label="选择 {escape(line.name)}"></td>{"".join(cells)}</tr>'
    )


def edit(url: str, field: str) -> SafeString:
    """The pencil that changes a cell where it stands, or without script in the form."""
    return SafeString(
        f'<a class="edit" href="{url}/edit#f-{field}" hx-get="{url}/cell/{field}"'
        f' hx-target="closest td" aria-label="改">{marks.icon("edit")}</a>'
    )


def _masked(one: Any, url: str, token: str) -> SafeString:
    if not token:  # looking back, where the full number would be that of now
        return SafeString(escape(one.value))
    to, place = f"{url}/reveal/{one.field}", f"m-{one.key}-{one.field}"
    return SafeString(
        f'<span class="nw" id="{place}">{escape(one.value)}<form class="inline" method="post"'
        f' action="{to}" hx-post="{to}" hx-target="#{place}">'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        '<button class="icon-btn sm" aria-label="查看完整号码，会留痕" title="查看完整，会留痕">'
        f"{marks.icon('eye')}</button></form></span>"
    )


def _title(one: Any, now: datetime) -> str:
    sub = f'<small class="sub">{escape(one.note)}</small>' if one.note else ""
    return f'<a class="name" href="{escape(one.url)}">{escape(one.value)}</a>{sub}'


def _at(one: Any, now: datetime) -> str:
    local = display.localtime(one.value)
    full, said = f"{local:%Y-%m-%d %H:%M}", display.when(one.value, now)
    return f'<time class="nw" datetime="{local.isoformat()}" title="{full}">{said}</time>'


def _deadline(one: Any, now: datetime) -> str:
    full, said = display.deadline_in_full(one.value), display.deadline(one.value, now)
    iso = display.localtime(one.value).isoformat()
    return f'<time class="nw" datetime="{iso}" title="{full}">{said}</time>'


def _date(one: Any, now: datetime) -> str:
    said = display.when(one.value, now)
    return f'<time class="nw" datetime="{one.value:%Y-%m-%d}">{said}</time>'


def _due(duty: Any, now: datetime, is_wrapped: bool) -> SafeString:
    tone = display.clause_state(duty.state, display.due_tone(duty.due_at, now, duty.began_at))
    clause = duty.rule.clause
    chip = marks.clause(clause.number, clause.title, tone, f"/clause/{clause.number}")
    clock = marks.clock(duty.due_at, now, start=duty.began_at, flat=True)
    wrap = " wrap" if is_wrapped else ""
    return SafeString(f'<span class="flex{wrap} g10">{chip}{clock}</span>')


_CELLS: dict[str, Any] = {
    "none": lambda one, now: '<span class="z">–</span>',
    "title": _title,
    "hidden": lambda one, now: (
        f'<span class="z" title="{HIDDEN}">{marks.icon("lock")}'
        f'<span class="sr">{HIDDEN}</span></span>'
    ),
    "who": lambda one, now: marks.who(one.value, one.key),
    "link": lambda one, now: f'<a class="link" href="{escape(one.url)}">{escape(one.value)}</a>',
    "grade": lambda one, now: marks.grade(one.key),
    "choice": lambda one, now: marks.badge(one.value, display.clause_state(one.key)),
    "tags": lambda one, now: (
        f'<span class="tags one">{"".join(marks.tag(text) for text in one.value)}</span>'
    ),
    "money": lambda one, now: f'<span class="num">{display.money(one.value)}</span>',
    "num": lambda one, now: f'<span class="num">{escape(one.value)}</span>',
    "hint": lambda one, now: (
        f'<abbr class="num" title="{escape(one.note)}">{escape(one.value)}</abbr>'
    ),
    "at": _at,
    "deadline": _deadline,
    "date": _date,
    "clause": lambda one, now: marks.clause(one.value, one.note, "", one.url),
}


def entry(one: Mapping[str, Any], now: datetime) -> SafeString:
    """A timeline entry: icon tone seal title text note at is_due clause name state clause_url
    url."""
    said = one.get
    title = escape(said("title", ""))
    if said("url"):
        title = f'<a class="name" href="{escape(one["url"])}">{title}</a>'
    if said("clause"):
        title += marks.clause(
            one["clause"], said("name", ""), said("state", ""), said("clause_url", "")
        )
    text = f"<p>{escape(one['text'])}</p>" if said("text") else ""
    note = f'<p class="mut">{escape(one["note"])}</p>' if said("note") else ""
    sign = escape(said("seal")) if said("seal") else marks.icon(said("icon") or "clock")
    at = display.localtime(one["at"])
    told = display.deadline_moment if said("is_due") else display.moment
    return SafeString(
        f'<li class="tl-i"><span class="tl-ic {escape(said("tone", ""))}">{sign}</span>'
        f"<div><h3>{title}</h3>{text}{note}</div>"
        f'<time datetime="{at.isoformat()}" title="{at:%Y-%m-%d %H:%M}">'
        f"{told(at, now)}</time></li>"
    )


def fact(one: Mapping[str, Any], shown: object, *, has_history: bool) -> SafeString:
    """A line of a record's facts: what, the value as drawn, the way to its past."""
    label, past = escape(one["label"]), ""
    if has_history:
        past = (
            f'<a class="icon-btn" href="{escape(one["history"])}" data-drawer'
            f' aria-label="{label}的历史" title="谁何时改过">{marks.icon("history")}</a>'
        )
    return SafeString(
        f'<tr><th scope="row" class="nw">{label}</th><td>{shown}</td><td class="r">{past}</td></tr>'
    )


def obligation(one: Any, now: datetime) -> SafeString:
    """A duty (`duties.Duty`) on a list of what to do: title, subject, clause, clock, way there."""
    state, said, title = one.state, one.done_text, escape(one.title)
    tone = display.clause_state(state, display.due_tone(one.due, now, one.start))
    cls = " late" if tone == "bad" else " done" if state == "MET" else ""
    url = escape(one.url or "")
    tick = f'<a class="ck" href="{url}" aria-label="去办：{title}" tabindex="-1"></a>'
    if state in ("MET", "LATE"):
        tick = '<span class="ck y" role="img" aria-label="已办"></span>'
    subject = f"<span>{escape(one.subject)}</span>" if one.subject else ""
    chip = marks.clause(one.clause, one.name, tone, one.clause_url)
    clock = marks.clock(one.due, now, start=one.start)
    if said:
        clock = SafeString(f'<span class="cd {tone or "ok"} flat">{escape(said)}</span>')
    act = "查看" if said else escape(one.action or "去办")
    way = f'<a class="btn sm" href="{url}">{act}</a>' if url else ""
    return SafeString(
        f'<div class="ob{cls}" id="ob-{one.pk}" data-row="{url}">{tick}'
        f'<span class="t">{escape(one.clock or display.MISSING)}</span>'
        f'<div><h3>{title}{subject}</h3><div class="meta">{chip}</div></div>'
        f'{clock}<span class="go">{way}</span></div>'
    )


def rated(line: Any) -> SafeString:
    """A line of the cockpit's tree: policy, chapter or clause with its numbers."""
    tone, is_clause = display.rate_tone(line.rate), line.level == 2
    loud = {"": "", "bad": ' class="red"'}.get(tone, ' class="soon-t"')
    label, note = escape(line.label), ""
    if is_clause:
        chip = marks.clause(line.number, line.title, tone)
        first = f'{chip}<span class="rule-s hide-lg ell">{label}</span>'
    else:
        note = f'<span class="rule-s hide-lg">{escape(line.note)}</span>' if line.note else ""
        first = (
            f'<button type="button" data-fold="{line.key}" aria-expanded="true"'
            f' aria-label="展开或收起">{marks.icon("down")}</button>'
            f'<span class="t">{label}</span>{note}'
        )
    under = f' data-parent="{line.parent}"' if line.parent else ""
    row = f' data-row="/clause/{escape(line.number)}"' if is_clause else ""
    red = f'<span class="red b">{line.red}</span>' if line.red else "–"
    return SafeString(
        f'<tr class="l{line.level}"{under}{row}><td class="w"><span class="tw">{first}</span></td>'
        f'<td data-l="守规率"><div class="rate"><b{loud}>{display.pct(line.rate)}</b>'
        f"{marks.points(line.change)}"
        f"{marks.bar(line.percent, tone)}</div></td>"
        f'<td class="hide-m">{marks.spark(line.spark, tone, 92)}</td>'
        f'<td class="num r" data-l="未结">{line.open or "–"}</td>'
        f'<td class="num r" data-l="今日到期">{line.today or "–"}</td>'
        f'<td class="num r" data-l="违规">{red}</td>'
        f'<td class="nw mut s hide-m">{escape(line.version)}</td></tr>'
    )
