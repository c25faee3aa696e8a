"""From a cell to a stored value: one reader per kind of field.

A reader takes what the file holds (text, number, date, list) and gives the text that the database
reads for the column, or None for empty; it raises Bad with reason and remedy. Nothing is guessed
and nothing is changed silently: what does not fit is refused.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from fangyuan.core import fields
from fangyuan.desk.exchange import terms
from fangyuan.desk.exchange.mistakes import Bad

Reader = Callable[[Any], str | None]

_YES = {"是", "真", "对", "有", "true", "t", "yes", "y", "1", "√", "✓", "✔"}
_NO = {"否", "假", "不", "无", "false", "f", "no", "n", "0", "×", "✗", "✘"}
_EXACT = 10**15  # beyond this a spreadsheet's number has lost its last digits
_LONGEST = 100_000
_EARLIEST, _LATEST = 1900, 2100
_DAY = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CLOCK = re.compile(r"(\d{1,2})[::](\d{2})(?:[::](\d{2})(?:\.(\d{1,6}))?)?")
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPLIT = re.compile(r"[;;\n]")
_SPLIT_CODES = re.compile(r"[;;\n、,,]")


def plain(cell: Any) -> str:
    """The cell as text; raises Bad where the spreadsheet has already lost digits."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _clean(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return _number_text(cell)
    if isinstance(cell, (list, dict)):
        raise Bad("这一列只能填一个值", "不要用列表")
    if isinstance(cell, datetime) and cell.time() == time.min and cell.tzinfo is None:
        return cell.date().isoformat()
    return cell.isoformat(" ") if isinstance(cell, datetime) else str(cell)


def _clean(text: str) -> str:
    if len(text) > _LONGEST:
        raise Bad(f"文字太长，有 {len(text)} 个字", f"一格最多 {_LONGEST} 字")
    if text.isprintable():
        return text
    if found := _CONTROL.search(text):
        raise Bad(f"含有不可见的控制字符（U+{ord(found[0]):04X}）", "删掉它再导入")
    return text


def _number_text(number: float) -> str:
    if not math.isfinite(number):
        raise Bad("不是数", "填一个数")
    if abs(number) >= _EXACT:
        raise Bad("数字超过 15 位，表格软件已丢失末几位", "把该列设为文本格式后重填")
    return str(int(number)) if number == int(number) else repr(number)


def _folded(cell: Any) -> str:
    """Text for comparing with codes and labels: half width, no blanks around."""
    return unicodedata.normalize("NFKC", plain(cell)).strip()


def reader(field: Any, lookups: terms.Lookups) -> Reader:
    """The reader for a model field."""
    if isinstance(field, fields.TermField):
        return _term(field, lookups)
    if isinstance(field, ArrayField):
        return _many(field, lookups)
    if field.choices:
        return _choice(str(field.verbose_name), field.flatchoices, field)
    for kind, make in _READERS:
        if isinstance(field, kind):
            return make(field)
    return _text(field)


def _empty(field: Any) -> str | None:
    """What an empty cell means: nothing, the field's default, or a mistake."""
    if field.null:
        return None
    if not field.has_default():
        if field.empty_strings_allowed and field.blank:
            return ""
        raise Bad("不能为空", "这一列必填")
    default = field.get_default()
    if isinstance(default, list):
        return "{}" if isinstance(field, ArrayField) else "[]"
    if isinstance(default, dict):
        return json.dumps(default)
    return str(default)


def _text(field: Any) -> Reader:
    formatted = isinstance(field, (fields.Phone, fields.Email, fields.Uscc))

    def read(cell: Any) -> str | None:
        text = plain(cell)
        if not text.strip():
            return _empty(field)
        if not formatted:
            return text
        try:
            return str(field.to_python(text))
        except ValidationError as wrong:
            raise Bad(str(wrong.messages[0]), "改正后再导入") from wrong

    return read


def _choice(label: str, choices: Iterable[tuple[Any, Any]], field: Any) -> Reader:
    known: dict[str, str] = {}
    pairs = [(str(code), str(said)) for code, said in choices]
    for code, said in pairs:
        known.setdefault(unicodedata.normalize("NFKC", said), code)
        known[f"{code} {said}"] = known[code.lower()] = code
    known |= {code: code for code, _ in pairs}
    offered = "、".join(said for _, said in pairs[:24])

    def read(cell: Any) -> str | None:
        text = _folded(cell)
        if not text:
            return _empty(field)
        found = known.get(text) or known.get(text.lower())
        if found is None:
            raise Bad(f"“{label}”没有这一项", f"从这些里选：{offered}")
        return found

    return read


def _term(field: Any, lookups: terms.Lookups) -> Reader:
    def read(cell: Any) -> str | None:
        text = _folded(cell)
        return lookups.key(field.domain, text) if text else _empty(field)

    return read


def _many(field: Any, lookups: terms.Lookups) -> Reader:
    """A set: items separated by `;`, or a list in JSON; the order of a vocabulary is its own."""
    one: Callable[[str], str | None]
    if isinstance(field, fields.ChoiceSet):
        order = {str(code): place for place, (code, _) in enumerate(field.vocabulary)}
        one = _choice(str(field.verbose_name), field.vocabulary, field)
    elif isinstance(field, fields.TermSet):
        order = {}
        one = lambda text: lookups.code(field.domain, text)  # noqa: E731
    elif isinstance(field, fields.RefSet):
        order, one = {}, _record_number
    else:
        order, one = {}, str
    split = _SPLIT if one is str else _SPLIT_CODES

    def read(cell: Any) -> str | None:
        items = (
            cell if isinstance(cell, list) else _parts(_clean(plain(cell)), split, lookups, field)
        )
        read_items = [one(plain(item).strip()) for item in items if plain(item).strip()]
        unique = list(dict.fromkeys(item for item in read_items if item is not None))
        unique.sort(key=lambda item: order.get(item, 0))
        return array(unique)

    return read


def _record_number(text: str) -> str:
    found = text.removeprefix("#")
    if not found.isascii() or not found.isdecimal():
        raise Bad(f"“{text}”不是记录编号", "写成 #12;#13")
    return found


def _parts(text: str, split: re.Pattern[str], lookups: terms.Lookups, field: Any) -> list[str]:
    """The items of a cell; a label that itself contains a separator is one item."""
    if text.startswith("["):
        return _listed(text)
    domain = getattr(field, "domain", None)
    if domain and lookups.knows(domain, text.strip()):
        return [text]
    return split.split(text)


def _listed(text: str) -> list[str]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise Bad("不是列表", '写成 甲;乙 或 ["甲", "乙"]') from wrong
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise Bad("不是文字的列表", '写成 甲;乙 或 ["甲", "乙"]')
    return items


def array(items: list[str]) -> str:
    """A text array as the database reads it."""
    joined = '","'.join(items)
    if "\\" in joined or joined.count('"') > 2 * (len(items) - 1):
        joined = '","'.join(i.replace("\\", "\\\\").replace('"', '\\"') for i in items)
    return f'{{"{joined}"}}' if items else "{}"


def items_of(literal: str) -> list[str]:
    """The items of a text array that `array` made."""
    inner = literal[2:-2]
    parts = inner.split('","') if literal != "{}" else []
    return [re.sub(r"\\(.)", r"\1", part) for part in parts]


def _yes_no(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        if isinstance(cell, bool):
            return "true" if cell else "false"
        text = _folded(cell).lower()
        if not text:
            return _empty(field)
        if text in _YES:
            return "true"
        if text in _NO:
            return "false"
        raise Bad("不是“是”或“否”", "填 是 或 否")

    return read


def _whole(field: Any) -> Reader:
    low = 0 if "Positive" in type(field).__name__ else -(2**31)
    high = 2**15 if "Small" in type(field).__name__ else 2**31

    def read(cell: Any) -> str | None:
        text = _folded(cell).replace(",", "")
        if not text:
            return _empty(field)
        text = re.sub(r"\.0+$", "", text)
        if not re.fullmatch(r"[+-]?\d{1,18}", text):
            raise Bad("不是整数", "填一个整数，如 120")
        if not low <= int(text) < high:
            raise Bad("数字超出范围", f"填 {low} 至 {high - 1} 之间的整数")
        return str(int(text))

    return read


def _decimal(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        text = _folded(cell).replace(",", "").removeprefix("¥").removesuffix("元").strip()
        if not text:
            return _empty(field)
        if re.search(r"[万亿]$", text):
            raise Bad("数字带有单位", "按元填写，如 12000")
        if isinstance(field, fields.Percent):
            text = text.removesuffix("%")
        try:
            number = Decimal(text)
        except InvalidOperation as wrong:
            raise Bad("不是数", "填一个数，如 1200.50") from wrong
        return _fitted(number, field)

    return read


def _fitted(number: Decimal, field: Any) -> str:
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise Bad("不是数", "填一个数，如 1200.50")
    places = -int(number.normalize().as_tuple().exponent)
    if places > field.decimal_places:
        raise Bad(f"小数有 {places} 位", f"最多 {field.decimal_places} 位小数，请先取舍")
    if number.adjusted() + 1 > field.max_digits - field.decimal_places:
        raise Bad("数字太大", f"整数部分最多 {field.max_digits - field.decimal_places} 位")
    return format(number, "f")


def _date(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        if isinstance(cell, datetime):
            return _same_day(cell)
        if isinstance(cell, date):
            return _sane(cell).isoformat()
        text = _folded(cell)
        if not text:
            return _empty(field)
        day, rest = _day(text)
        if rest and not re.fullmatch(r"[T ]?0{1,2}:00(:00(\.0+)?)?", rest):
            raise Bad("这一列只要日期", "去掉时间，如 2026-11-25")
        return day.isoformat()

    return read


def _same_day(cell: datetime) -> str:
    if cell.time() != time.min:
        raise Bad("这一列只要日期", "去掉时间，如 2026-11-25")
    return _sane(cell.date()).isoformat()


def _sane(day: date) -> date:
    if not _EARLIEST <= day.year <= _LATEST:
        raise Bad(f"{day.year} 年不像真的", f"填 {_EARLIEST} 至 {_LATEST} 年之间的日期")
    return day


def _day(text: str) -> tuple[date, str]:
    found = _DAY.match(text) or _COMPACT.fullmatch(text)
    if found is None:
        raise Bad("不是日期", "写成 2026-11-25 或 2026/11/25")
    try:
        day = date(*map(int, found.groups()))
    except ValueError as wrong:
        raise Bad("没有这一天", "核对年月日") from wrong
    return _sane(day), text[found.end() :].strip()


def _instant(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        if isinstance(cell, datetime):
            _sane(cell.date())
            return (cell if cell.tzinfo else local(cell)).isoformat()
        if isinstance(cell, date):
            return local(datetime.combine(_sane(cell), time.min)).isoformat()
        text = _folded(cell)
        return instant(text).isoformat() if text else _empty(field)

    return read


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant, or a local time in the company's zone; raises Bad."""
    day, rest = _day(text)
    offset = _OFFSET.search(rest)
    clock = rest[: offset.start()] if offset else rest
    found = _CLOCK.fullmatch(clock.removeprefix("T").strip())
    if found is None and (clock or offset):
        raise Bad("时间看不懂", "写成 2026-11-25 09:30 或 2026-11-25T09:30:00+08:00")
    hour, minute, second, part = found.groups() if found else (0, 0, 0, 0)
    try:
        at = datetime(
            day.year, day.month, day.day, int(hour), int(minute), int(second or 0),
            int(str(part or 0).ljust(6, "0")),
        )  # fmt: skip
    except ValueError as wrong:
        raise Bad("没有这个时刻", "时为 0 至 23，分秒为 0 至 59") from wrong
    if offset is None:
        return local(at)
    sign = offset[0].replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{at.isoformat()}{sign}")
    except ValueError as wrong:
        raise Bad("时区看不懂", "写成 +08:00") from wrong


def local(at: datetime) -> datetime:
    """A wall-clock time in the company's zone; raises Bad for one that the clocks skipped."""
    zone = ZoneInfo(settings.TIME_ZONE)
    placed = at.replace(tzinfo=zone)
    if placed.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != at:
        raise Bad("这一刻因夏令时被跳过", "写明时区，如 +08:00")
    return placed


def _clock(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        text = _folded(cell)
        if not text:
            return _empty(field)
        found = _CLOCK.fullmatch(text)
        if found is None or int(found[1]) > 23 or int(found[2]) > 59:
            raise Bad("不是时间", "写成 09:30")
        return text

    return read


def _json(field: Any) -> Reader:
    def read(cell: Any) -> str | None:
        if isinstance(cell, (list, dict)):
            return json.dumps(cell, ensure_ascii=False)
        text = plain(cell).strip()
        if not text:
            return _empty(field)
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError) as wrong:
            raise Bad("不是 JSON", '写成 {"键": "值"} 或 ["值"]') from wrong

    return read


_READERS: list[tuple[Any, Callable[[Any], Reader]]] = [
    (models.BooleanField, _yes_no),
    (models.DecimalField, _decimal),
    (models.IntegerField, _whole),
    (models.DateTimeField, _instant),
    (models.DateField, _date),
    (models.TimeField, _clock),
    (models.JSONField, _json),
]
