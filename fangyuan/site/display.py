"""How values read on screen: money, moments, spans, rates, masked numbers.

Every function that speaks of time is given `now`; nothing here looks at a clock.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from django.utils.timezone import get_default_timezone

from fangyuan.core import spans

MISSING = "–"
WAN = Decimal(10_000)
WEEK = 7
SOON_SHARE = 0.25
SOON_SPAN = timedelta(hours=8)
DAY = timedelta(days=1)
MOBILE_DIGITS, SHORT_DIGITS = 11, 7
TONES = {
    "OPEN": "",
    "MET": "ok",
    "LATE": "soon",
    "BREACHED": "bad",
    "VOID": "",
    "WAIVED": "",
}


def localtime(at: datetime) -> datetime:
    """The instant in the company's zone."""
    return at.astimezone(get_default_timezone())


def dash(value: object) -> object:
    """The value, or the sign for a missing one."""
    return MISSING if value is None or value in ("", []) else value


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _to(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), rounding=ROUND_HALF_UP)


def wan(value: object) -> str:
    """Money in units of 10,000 yuan for a column whose head names the unit."""
    if value is None or value == "":
        return MISSING
    amount = _decimal(value) / WAN
    # A small sum must not read as nothing.
    if amount and not _to(amount, "0.1"):
        return f"{_to(amount, '0.01')}" if _to(amount, "0.01") else "<0.01"
    return f"{_to(amount, '0.1'):,}"


def money(value: object) -> str:
    """Money in a list: 万元 to one place, below 500 yuan in yuan."""
    if value is None or value == "":
        return MISSING
    amount = _decimal(value)
    if amount and not _to(amount / WAN, "0.1"):
        return f"{_to(amount, '1'):,} 元"
    return f"{_to(amount / WAN, '0.1'):,} 万"


def yuan(value: object) -> str:
    """Money on a document: yuan to two places."""
    return MISSING if value is None or value == "" else f"¥{_to(_decimal(value), '0.01'):,}"


def pct(value: object) -> str:
    """A share between 0 and 1 as per cent to one place; only the whole reads 100.0%."""
    if value is None or value == "":
        return MISSING
    share = _decimal(value)
    shown = _to(share * 100, "0.1")
    if shown == 100 and share < 1:
        shown = (share * 100).quantize(Decimal("0.1"), rounding=ROUND_DOWN)
    return f"{shown}%"


def rate_tone(
    value: object, goal: object = Decimal("0.95"), floor: object = Decimal("0.85")
) -> str:
    """The colour of a compliance rate: plain at the goal, amber below, red under the floor."""
    if value is None or value == "":
        return ""
    share = _decimal(value)
    if share < _decimal(floor):
        return "bad"
    return "soon" if share < _decimal(goal) else ""


def _day(at: date | datetime) -> date:
    return localtime(at).date() if isinstance(at, datetime) else at


def _far(day: date, today: date) -> str:
    return f"{day:%m-%d}" if day.year == today.year else f"{day:%Y-%m-%d}"


def when(at: date | datetime | None, now: datetime) -> str:
    """A moment as one says it: the time today, the days within a week, else the date."""
    if at is None:
        return MISSING
    day, today = _day(at), _day(now)
    away = (today - day).days
    if away == 0:
        return f"{localtime(at):%H:%M}" if isinstance(at, datetime) else "今天"
    if abs(away) == 1:
        return "昨天" if away > 0 else "明天"
    if abs(away) <= WEEK:
        return f"{away} 天前" if away > 0 else f"{-away} 天后"
    return _far(day, today)


def deadline(at: datetime | None, now: datetime) -> str:
    """A due time as one says it: the time today, 24:00 for midnight, else the days or the date."""
    if at is None:
        return MISSING
    day, time = spans.ending(at)
    return time if day == _day(now) else when(day, now)


def deadline_in_full(at: datetime | None) -> str:
    """A due time with its day: 2026-11-25 24:00."""
    return MISSING if at is None else "{:%Y-%m-%d} {}".format(*spans.ending(at))


def deadline_moment(at: datetime | None, now: datetime) -> str:
    """A due time in a sentence: 今天 18:00, 昨天 24:00, 11-27 24:00."""
    if at is None:
        return MISSING
    day, time = spans.ending(at)
    return f"{moment(day, now)} {time}"


def moment(at: date | datetime | None, now: datetime) -> str:
    """Date and time for a timeline: 今天 11:24, 昨天 20:52, 11-18 10:14."""
    if at is None:
        return MISSING
    day, today = _day(at), _day(now)
    near = {0: "今天", 1: "昨天", -1: "明天"}.get((today - day).days)
    text = near or _far(day, today)
    return f"{text} {localtime(at):%H:%M}" if isinstance(at, datetime) else text


def day_words(at: date | datetime | None) -> str:
    """A day in full, for a greeting: 11 月 19 日 周四."""
    if at is None:
        return MISSING
    day = _day(at)
    return f"{day.month} 月 {day.day} 日 周{'一二三四五六日'[day.weekday()]}"


def span(length: timedelta | float | None) -> str:
    """A length of time in its two largest units: 5 小时 12 分."""
    if length is None:
        return MISSING
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    minutes = int(abs(seconds) // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "天"), (hours, "小时"), (minutes, "分")]
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or "不到 1 分"


def _overdue(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"逾 {minutes} 分" if minutes else "刚到期"
    return f"逾 {minutes // 60} 小时" if length < DAY else f"逾 {length.days} 天"


def countdown(due: datetime | None, now: datetime) -> str:
    """What a clock beside a duty shows: 2 天, 1:42:08, 逾 17 分."""
    if due is None:
        return MISSING
    ahead = due - now
    if ahead <= timedelta(0):
        return _overdue(-ahead)
    if ahead > DAY:
        return f"{ahead.days} 天"
    hours, rest = divmod(int(ahead.total_seconds()), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def left(due: datetime | None, now: datetime) -> str:
    """The time left within a sentence or cell: 剩 2 天, 1:42:08, 逾 17 分."""
    text = countdown(due, now)
    return f"剩 {text}" if text.endswith("天") and due and due > now else text


def left_words(due: datetime | None, now: datetime) -> str:
    """The time left in words: 剩 1 小时 42 分, 逾 17 分."""
    if due is None:
        return MISSING
    return f"剩 {span(due - now)}" if due > now else _overdue(now - due)


def due_tone(due: datetime | None, now: datetime, start: datetime | None = None) -> str:
    """Amber in the last quarter or the last 8 hours, red once due."""
    if due is None:
        return ""
    ahead = due - now
    if ahead <= timedelta(0):
        return "bad"
    if ahead <= SOON_SPAN or (start and ahead <= (due - start) * SOON_SHARE):
        return "soon"
    return ""


def share_left(due: datetime, now: datetime, start: datetime | None) -> float:
    """How much of the time given is left, between 0 and 1; 1 once due, as a full red bar."""
    if due <= now or start is None or start >= due:
        return 1.0
    return min(1.0, (due - now) / (due - start))


def clause_state(state: str | None, tone: str = "") -> str:
    """The class of a clause chip for an obligation's state; an open one takes the clock's tone."""
    return TONES.get(state or "OPEN", "") or (tone if state in (None, "", "OPEN") else "")


def mask_phone(value: str | None) -> str:
    """A phone number with its middle hidden: 138****5621."""
    if not value:
        return MISSING
    text = str(value)
    if len(text) >= MOBILE_DIGITS:
        return f"{text[:-8]}****{text[-4:]}"
    return text[:2] + "****" + text[-2:] if len(text) >= SHORT_DIGITS else "****"


def surname_char(name: str | None) -> str:
    """The single character in a person's round picture."""
    text = (name or "").strip()
    return text[:1].upper() or "?"
