"""Numbers of a spreadsheet as the text a person saw: digits without loss, dates by their format."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

_EXACT: Final = 10**15
_SECONDS: Final = 86_400
_LAST_SERIAL: Final = 2_958_466  # 9999-12-31
_LEAP_FLAW: Final = 60  # the 1900 system has a 29 February 1900 that never was
_ESCAPE: Final = re.compile("_x([0-9A-Fa-f]{4})_")
# Quoted words, escaped and padding characters, and brackets other than elapsed time.
_NOISE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|e[+-]', re.IGNORECASE)


class Shown(Enum):
    """What a number format makes of a number."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    ELAPSED = "elapsed"


_BUILT_IN: Final = {
    **dict.fromkeys((*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58), Shown.DATE),
    **dict.fromkeys((*range(18, 22), *range(32, 36), 45, 47, 55, 56), Shown.TIME),
    46: Shown.ELAPSED,
}


def built_in(number: int) -> Shown:
    """Say what a format known by its number alone shows."""
    return _BUILT_IN.get(number, Shown.NUMBER)


def shown_by(code: str) -> Shown:
    """Say what a written format such as `yyyy"年"m"月"` shows."""
    plain = _NOISE.sub("", code.split(";")[0]).lower()
    if "general" in plain:
        return Shown.NUMBER
    if re.search(r"\[[hms]+\]", plain):
        return Shown.ELAPSED
    if re.search("[ydge]", plain) or ("m" in plain and not re.search("[hs]", plain)):
        return Shown.DATE
    return Shown.TIME if re.search("[hs]", plain) else Shown.NUMBER


def number_text(value: float) -> tuple[str, str]:
    """Give the text of a number, and what is wrong if digits were lost before we saw it."""
    if not math.isfinite(value):
        return "", "不是有效的数字，请改正"
    if value == int(value) and abs(value) < _EXACT:
        return str(int(value)), ""
    shown = format(Decimal(format(value, ".15g")), "f")
    if abs(value) >= _EXACT:
        return shown[:40], "数字超过 15 位，Excel 已丢失末尾几位，请把该列设为文本后重填"
    return shown, ""


def moment_text(value: float, shown: Shown, *, is_1904: bool) -> tuple[str, str]:
    """Give the text of a date, time or duration kept as a number of days."""
    if not 0 <= value < _LAST_SERIAL:
        return number_text(value)[0], "不是有效的日期，请改正"
    # Times are fractions of a day; the nearest second is what was typed.
    seconds = round(value * _SECONDS)
    days, rest = divmod(seconds, _SECONDS)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    if shown is Shown.ELAPSED:
        return f"{seconds // 3600}:{clock[3:]}", ""
    if shown is Shown.TIME and not days:
        return clock, ""
    if is_1904:
        start = datetime(1904, 1, 1)
    else:
        start = datetime(1899, 12, 30 if days > _LEAP_FLAW else 31)
    day = (start + timedelta(days=days)).date().isoformat()
    return (f"{day} {clock}" if rest else day), ""


def unescaped(text: str) -> str:
    """Undo `_x000D_`, the way workbooks write characters that XML cannot."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
