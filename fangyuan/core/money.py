"""Amounts of money: rounding to the fen, 大写 for contracts, 万元 for lists, reading typed ones.

Decimal only; a float is refused because its fen are already lost.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

FEN: Final = Decimal("0.01")
MISSING: Final = "–"
_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("仟", "佰", "拾", "")
_LARGEST: Final = Decimal(10) ** 16
_UNITS: Final = {
    "": 1,
    "元": 1,
    "千": 10**3,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
}
_TYPED: Final = re.compile(
    r"(?:人民币|rmb|cny|¥|￥)?(?P<sign>-?)(?:¥|￥)?"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\(?(?P<unit>千万|百万|千|万|亿)?(?:元|人民币|圆|rmb|cny)*(?:整)?\)?"
)


class MoneyError(ValueError):
    """An amount that cannot be read or written, with the reason in Chinese."""


def to_fen(amount: Decimal | int) -> Decimal:
    """Round to the fen, halves away from zero; raises TypeError for a float."""
    if isinstance(amount, float):
        raise TypeError("money is Decimal, not float")
    return Decimal(amount).quantize(FEN, ROUND_HALF_UP)


def capital(amount: Decimal | int) -> str:
    """Write an amount as contracts and invoices do (人民币大写), without the word 人民币."""
    exact = to_fen(amount)
    if abs(exact) >= _LARGEST:
        raise MoneyError("金额过大，写不成大写")
    sign = "负" if exact < 0 else ""
    yuan, fen = divmod(int(abs(exact) * 100), 100)
    whole = _whole(yuan)
    jiao, fen = divmod(fen, 10)
    if not jiao and not fen:
        return f"{sign}{whole or '零'}元整"
    text = f"{sign}{whole}元" if whole else sign
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif whole:
        text += "零"
    return text + (f"{_DIGITS[fen]}分" if fen else "整")


def _whole(yuan: int) -> str:
    """Write whole yuan, with one 零 where figures are missing between two others."""
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(yuan, unit)
        if high:
            gap = "零" if 0 < low < unit // 10 else ""
            return _whole(high) + name + gap + _whole(low)
    return _four(f"{yuan:04d}")


def _four(group: str) -> str:
    text = ""
    for digit, place in zip(group, _PLACES, strict=True):
        if digit != "0":
            text += _DIGITS[int(digit)] + place
        elif text and not text.endswith("零"):
            text += "零"
    return text.rstrip("零")


def yuan(amount: Decimal | int | None) -> str:
    """Show an amount on a document: two decimals, thousands apart."""
    return MISSING if amount is None else f"{to_fen(amount):,.2f}"


def wan(amount: Decimal | int | None) -> str:
    """Show an amount in a list: 万元 with one decimal."""
    if amount is None:
        return MISSING
    tenths = (to_fen(amount) / 10_000).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{abs(tenths) if not tenths else tenths:,.1f}"


def parse(text: str) -> Decimal:
    """Read an amount as people type it: 1,200.50 ¥1200 1.2万 3亿元 500万人民币."""
    typed = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()
    found = _TYPED.fullmatch(typed)
    if not found:
        raise MoneyError(f"金额「{text.strip()[:30]}」看不懂，应如 1200.50 或 1.2 万")
    number = Decimal(found["number"].replace(",", "")) * _UNITS[found["unit"] or ""]
    if number != to_fen(number):
        raise MoneyError(f"金额「{text.strip()[:30]}」不足一分，请先四舍五入到分")
    return to_fen(-number if found["sign"] else number)
