"""Small pieces of HTML drawn many times on a page: icon, clause chip, clock, avatar, progress.

They are functions, not templates, because a list draws hundreds of them. All text is escaped here.
"""

from __future__ import annotations

import functools
import html
import math
import re
import zlib
from collections.abc import Sequence
from datetime import datetime

from django.templatetags.static import static
from django.utils.safestring import SafeString

from fangyuan.site import display

PALETTE = ("", " c2", " c3", " c4", " c5")
TAU = 2 * math.pi
UNSAFE = re.compile("[&<>\"']")


def escape(text: object) -> str:
    """The text safe within HTML, even if it claims to be safe already."""
    said = str(text)
    return html.escape(said) if UNSAFE.search(said) else said


def _cls(*names: str) -> str:
    return " ".join([name for name in names if name])


@functools.lru_cache(maxsize=1024)
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite; it says nothing to a screen reader."""
    href = f"{static('fy/icons.svg')}#{escape(name)}"
    return SafeString(
        f'<svg class="{_cls("i", escape(size))}" aria-hidden="true"><use href="{href}"/></svg>'
    )


@functools.lru_cache(maxsize=4096)
def clause(label: str, name: str = "", state: str = "", url: str = "") -> SafeString:
    """The chip that names the clause behind a reminder."""
    short = f"<span>{escape(name)}</span>" if name else ""
    inner = f"<code>{escape(label)}</code>{short}"
    cls = _cls("clause", escape(state))
    if url:
        return SafeString(f'<a class="{cls}" href="{escape(url)}">{inner}</a>')
    return SafeString(f'<span class="{cls}">{inner}</span>')


def clock(
    due: datetime | None,
    now: datetime,
    *,
    start: datetime | None = None,
    flat: bool = False,
) -> SafeString:
    """A countdown that reads right without script and ticks with it."""
    if due is None:
        return SafeString(f'<span class="cd flat mut">{display.MISSING}</span>')
    began = f' data-start="{display.localtime(start).isoformat()}"' if start else ""
    cls = _cls("cd", display.due_tone(due, now, start), "flat" if flat else "")
    iso = display.localtime(due).isoformat()
    return SafeString(
        f'<time class="{cls}" datetime="{iso}" data-due="{iso}"{began}'
        f' title="{iso[:10]} {iso[11:16]} 到期">{display.countdown(due, now)}</time>'
    )


def seal(char: str, kind: str = "") -> SafeString:
    """A cinnabar seal: filled for 逾 and 违, outlined (`out`) for 准 and 结."""
    return SafeString(f'<span class="{_cls("seal", escape(kind))}">{escape(char)}</span>')


@functools.lru_cache(maxsize=4096)
def grade(value: str | None) -> SafeString:
    """A square with the customer's grade."""
    if not value:
        return SafeString(f'<span class="z">{display.MISSING}</span>')
    return SafeString(f'<span class="grade {escape(value)}">{escape(value)}</span>')


@functools.lru_cache(maxsize=4096)
def badge(text: str, tone: str = "") -> SafeString:
    """A state in words on its colour."""
    return SafeString(f'<span class="{_cls("badge", escape(tone))}">{escape(text)}</span>')


@functools.lru_cache(maxsize=4096)
def tag(text: str) -> SafeString:
    """A label that somebody entered."""
    return SafeString(f'<span class="tag">{escape(text)}</span>')


@functools.lru_cache(maxsize=4096)
def avatar(name: str, key: object = None, size: str = "") -> SafeString:
    """The round picture of a person; its colour stays with the person."""
    number = key if isinstance(key, int) else zlib.crc32(str(key or name).encode())
    cls = _cls("av", escape(size)) + PALETTE[number % len(PALETTE)]
    return SafeString(
        f'<span class="{cls}" aria-hidden="true">{escape(display.surname_char(name))}</span>'
    )


@functools.lru_cache(maxsize=4096)
def who(name: str | None, key: object = None) -> SafeString:
    """A person's picture and name."""
    if not name:
        return SafeString(f'<span class="z">{display.MISSING}</span>')
    return SafeString(f'<span class="who">{avatar(name, key)}{escape(name)}</span>')


def ring(value: float | None, *, size: int = 30, tone: str = "", text: str = "") -> SafeString:
    """A ratio of a hundred as a ring with the number inside."""
    share = max(0.0, min(100.0, float(value or 0)))
    width = 3 if size <= 30 else 3.5
    middle, radius = size / 2, size / 2 - width / 2 - (0.5 if size > 30 else 0)
    round_ = f'cx="{middle:g}" cy="{middle:g}" r="{radius:g}" stroke-width="{width:g}"'
    dash = f"{TAU * radius * share / 100:.1f} {TAU * radius:.1f}"
    turn = f"rotate(-90 {middle:g} {middle:g})"
    shown = escape(text or (display.MISSING if value is None else f"{share:.0f}"))
    return SafeString(
        f'<svg class="{_cls("ring", escape(tone), "small" if size < 42 else "")}"'
        f' width="{size}" height="{size}" viewBox="0 0 {size} {size}" role="img"'
        f' aria-label="{shown}"><circle {round_}/>'
        f'<circle {round_} stroke-dasharray="{dash}" transform="{turn}"/>'
        f'<text x="{middle:g}" y="{middle + 0.5:g}">{shown}</text></svg>'
    )


def bar(value: float | None, tone: str = "", goal: float | None = None) -> SafeString:
    """A part of a hundred as a bar; `goal` cuts a line into it."""
    share = max(0.0, min(100.0, float(value or 0)))
    line = f'<rect class="goal" x="{goal:g}%" width="2" height="6"/>' if goal is not None else ""
    return SafeString(
        f'<svg class="{_cls("bar", escape(tone))}" role="img" aria-label="{share:.0f}%">'
        f'<rect width="{share:.1f}%" height="6"/>{line}</svg>'
    )


def pips(done: int, total: int, blocked: int = 0, label: str = "") -> SafeString:
    """Counts as little squares: done, in the way, still open."""
    rest = max(0, total - done - blocked)
    cells = '<i class="y"></i>' * done + '<i class="x"></i>' * blocked + "<i></i>" * rest
    said = escape(label or f"{done}/{total}")
    return SafeString(f'<span class="pips" role="img" aria-label="{said}">{cells}</span>')


def points(change: float | None) -> SafeString:
    """By how many points of a hundred a rate changed; nothing where there is nothing to compare."""
    if change is None:
        return SafeString("")
    tone = "ok" if change >= 0.05 else "bad" if change <= -0.05 else ""
    return SafeString(f'<span class="{_cls("chg", tone)}" title="百分点">{change:+.1f}</span>')


def spark(values: Sequence[float | None], tone: str = "", width: int = 84) -> SafeString:
    """A short line of numbers whose last point is a square."""
    numbers = [float(value) for value in values if value is not None]
    if len(numbers) < 2:
        return SafeString(f'<span class="z">{display.MISSING}</span>')
    low, reach = min(numbers), (max(numbers) - min(numbers)) or 1.0
    step = width / (len(numbers) - 1)
    points = [(i * step, 26 - 24 * (n - low) / reach) for i, n in enumerate(numbers)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return SafeString(
        f'<svg class="{_cls("spark", escape(tone))}" width="{width}" height="28"'
        f' viewBox="0 0 {width} 28" aria-hidden="true"><polygon points="0,28 {line} {width},28"/>'
        f'<polyline points="{line}"/>'
        f'<rect x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4"/></svg>'
    )
