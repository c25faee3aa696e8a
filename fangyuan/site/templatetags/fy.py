"""Display filters and small marks for templates: `{% load fy %}`.

Filters that speak of time take `now` as their argument (`{{ at|when:now }}`);
tags take it as `now=` or from the context variable of that name, and refuse to guess.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.template import loader
from django.template.context import Context
from django.utils import timezone
from django.utils.safestring import SafeString

from fangyuan.desk import looking_back
from fangyuan.site import display, drawn, marks, skies

register = template.Library()

for _name in (
    "dash",
    "wan",
    "money",
    "yuan",
    "pct",
    "rate_tone",
    "span",
    "day_words",
    "mask_phone",
):
    register.filter(_name, getattr(display, _name))
register.filter("surname_char", display.surname_char)
register.filter("clause_state", display.clause_state)

for _name in ("icon", "clause", "seal", "grade", "badge", "tag", "avatar", "who"):
    register.simple_tag(getattr(marks, _name), name=_name)
register.simple_tag(skies.sky, name="sky")
for _name in ("ring", "bar", "pips", "spark", "points"):
    register.simple_tag(getattr(marks, _name), name=_name)


@register.simple_tag
def once(name: str) -> SafeString:
    """A fragment that says the same on every page: drawn once, anew only while developing."""
    return _drawn.__wrapped__(name) if settings.DEBUG else _drawn(name)


@functools.cache
def _drawn(name: str) -> SafeString:
    return loader.render_to_string(name)


MOST_KEPT = 500
_kept: dict[tuple[str, Hashable], SafeString] = {}


@register.simple_tag(takes_context=True)
def kept(context: Context, name: str, key: Hashable) -> SafeString:
    """A fragment that says the same wherever `key` is the same, drawn once; each time anew if that
    is None."""
    if key is None or settings.DEBUG:
        return _within(context, name)
    if (name, key) not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[name, key] = _within(context, name)
    return _kept[name, key]


def _within(context: Context, name: str) -> SafeString:
    engine = context.template.engine  # type: ignore[union-attr]
    return SafeString(engine.get_template(name).render(context))


@register.filter
def when(at: date | datetime | None, now: datetime) -> str:
    """A moment as one says it."""
    return display.when(at or None, now)


@register.filter
def deadline(at: datetime | None, now: datetime) -> str:
    """A due time as one says it."""
    return display.deadline(at or None, now)


@register.filter
def deadline_moment(at: datetime | None, now: datetime) -> str:
    """A due time in a sentence: 今天 24:00."""
    return display.deadline_moment(at or None, now)


@register.filter
def deadline_in_full(at: datetime | None) -> str:
    """A due time with its day."""
    return display.deadline_in_full(at or None)


@register.filter
def moment(at: date | datetime | None, now: datetime) -> str:
    """A moment with its time of day."""
    return display.moment(at or None, now)


@register.filter
def left(due: datetime | None, now: datetime) -> str:
    """The time left: 剩 2 天, 1:42:08, 逾 17 分."""
    return display.left(due or None, now)


@register.filter
def left_words(due: datetime | None, now: datetime) -> str:
    """The time left in words."""
    return display.left_words(due or None, now)


@register.filter
def due_tone(due: datetime | None, now: datetime) -> str:
    """The colour of a due time, when only the due time is known."""
    return display.due_tone(due or None, now)


def _now(context: Context, given: datetime | None) -> datetime:
    now = given or context.get("now")
    if not isinstance(now, datetime):
        raise template.TemplateSyntaxError("这个标签要用到 now，上下文里没有。")
    return now


@register.simple_tag(takes_context=True)
def cd(
    context: Context,
    due: datetime | None,
    start: datetime | None = None,
    flat: bool = False,
    now: datetime | None = None,
) -> SafeString:
    """A ticking countdown to `due`."""
    return marks.clock(due or None, _now(context, now), start=start or None, flat=flat)


@register.simple_tag(takes_context=True)
def duty_state(
    context: Context,
    state: str | None,
    due: datetime | None = None,
    start: datetime | None = None,
    now: datetime | None = None,
) -> str:
    """The class of a duty's chip: its state's, or while open that of its clock."""
    return display.clause_state(state, display.due_tone(due, _now(context, now), start))


@register.simple_tag(takes_context=True)
def cell(
    context: Context, one: Any, line: Any = None, is_wrapped: bool = False, edit: bool = False
) -> SafeString:
    """A column's value; `line.url` is the address of its row, under which `edit` changes it."""
    url = getattr(line, "url", "") or ""
    url = url() if callable(url) else url
    token = "" if context.get("back") else str(context.get("csrf_token", ""))
    now = _now(context, None)
    shown = drawn.cell(one, now, url=url, token=token, is_wrapped=is_wrapped)
    return SafeString(shown + drawn.edit(url, one.field)) if edit else shown


@register.simple_tag(takes_context=True)
def rows(context: Context, page: Any) -> SafeString:
    """The rows of a list."""
    token = str(context.get("csrf_token", ""))
    return drawn.rows(page.lines, page.places, _now(context, None), token)


@register.simple_tag(takes_context=True)
def fact(context: Context, one: Any, scene: Any) -> SafeString:
    """A line of a record's facts."""
    value = one["cell"]
    has_history = scene.desk.is_record and value.kind not in ("hidden", "mask")
    return drawn.fact(one, cell(context, value, scene), has_history=has_history)


@register.simple_tag(takes_context=True)
def entry(context: Context, one: Any) -> SafeString:
    """An entry of a timeline."""
    return drawn.entry(one, _now(context, None))


@register.simple_tag(takes_context=True)
def obligation(context: Context, one: Any) -> SafeString:
    """A duty on a list of what to do."""
    return drawn.obligation(one, _now(context, None))


register.simple_tag(drawn.rated, name="rated")


@register.simple_tag
def avatars(people: Sequence[Any], most: int = 5) -> SafeString:
    """Overlapping pictures of the first few people, each with `name` and `pk`."""
    shown = [marks.avatar(person.name, person.pk) for person in list(people)[:most]]
    return SafeString(f'<span class="avs">{"".join(shown)}</span>')


@register.inclusion_tag("parts/look_back.html", takes_context=True)
def look_back(context: Context, *names: str) -> dict[str, Any]:
    """The choice of a past day for the page; these parameters of its address are kept."""
    asked = context["request"].GET
    kept = [(name, asked[name]) for name in names if asked.get(name)]
    days = looking_back.days(today := timezone.localdate())
    return {
        "back": context.get("back"),
        "today": today,
        "days": days,
        "last": days[0][1],
        "kept": kept,
        "keep": "".join(f"{name}={quote(value)}&" for name, value in kept),
    }
