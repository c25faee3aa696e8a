"""What the words of a clause promise: vague words, and numbers that its rules do not keep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fangyuan.core import spans
from fangyuan.engine.checkup.flaws import BAD, CLAUSE, DRAFT, NOTE, WARN, Flaw
from fangyuan.engine.checkup.sheets import Line, Sheet

# What each word leaves open.
VAGUE: Final = {
    "何时": "及时 尽快 尽早 适时 随时 定期 不定期 按时 近期 立即 必要时 第一时间 条件允许时",
    "到什么程度": "适当 合理 尽量 尽可能 酌情 妥善 充分 适度 有效地 较大 较多 较好 明显 若干",
    "有没有例外": "原则上 一般情况下 一般应 视情况 视情 等情形 特殊情况",
    "找谁": "有关部门 有关人员 相关部门 相关人员 相关方",
}
_OPEN: Final = {word: what for what, some in VAGUE.items() for word in some.split()}
_VAGUE: Final = re.compile("|".join(sorted(_OPEN, key=len, reverse=True)))
_NUMBER: Final = r"(?P<n>\d+|[一二两三四五六七八九十百]+)"
_SPAN: Final = re.compile(
    _NUMBER + r"\s*(?:个|)\s*(?P<u>分钟|小时|工作日|自然日|日|天)\s*(?:以|之|)内"
)
_PER: Final = re.compile(
    r"每个?(?P<p>工作日|双周|两周|半年|季度|季|日|天|周|月|年)(?!度?目标|均)"
    r"(?:.{0,6}?" + _NUMBER + r"\s*次)?"
)
_UNITS: Final = {
    "分钟": spans.Unit.MINUTE,
    "小时": spans.Unit.HOUR,
    "工作日": spans.Unit.WORKDAY,
    "自然日": spans.Unit.DAY,
    "日": spans.Unit.DAY,
    "天": spans.Unit.DAY,
}
_PERIODS: Final = {
    "工作日": "day",
    "日": "day",
    "天": "day",
    "周": "week",
    "双周": "biweek",
    "两周": "biweek",
    "月": "month",
    "季": "quarter",
    "季度": "quarter",
    "半年": "half-year",
    "年": "year",
}
_DIGITS: Final = dict(zip("一二两三四五六七八九", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))


@dataclass(frozen=True)
class Said:
    """A number that a text states, as a rule would write it, and where it stands."""

    value: str
    words: str
    place: tuple[int, int]


def number_of(word: str) -> int:
    """Read 24, 十二, 二十四 or 一百."""
    if word.isdigit():
        return int(word)
    total, digit = 0, 0
    for char in word:
        if char in _DIGITS:
            digit = _DIGITS[char]
        else:
            total += (digit or 1) * {"十": 10, "百": 100}[char]
            digit = 0
    return total + digit


def spans_in(text: str) -> list[Said]:
    """The spans of time that a text allows: 24 小时以内, 三个工作日内."""
    return [
        Said(
            f"{number_of(found['n'])}{_UNITS[found['u']].value}",
            found[0],
            (found.start(), found.end()),
        )
        for found in _SPAN.finditer(text)
    ]


def periods_in(text: str) -> list[Said]:
    """How often a text asks for something: 每周, 每双周至少 1 次 (`biweek:1`)."""
    return [
        Said(
            _PERIODS[found["p"]] + (f":{number_of(found['n'])}" if found["n"] else ""),
            found[0],
            (found.start(), found.end()),
        )
        for found in _PER.finditer(text)
    ]


# --- vague words


def vague(sheet: Sheet) -> Iterator[Flaw]:
    """The words that leave open when, how much, or who: worse where no rule says it either."""
    found = list(_VAGUE.finditer(sheet.text))
    if not found:
        return
    sentences = [rule.read.sentence() for rule in sheet.rules if rule.read is not None]
    words = list(dict.fromkeys(one[0] for one in found))
    opens = "、".join(dict.fromkeys(_OPEN[word] for word in words))
    said = "、".join(f"“{word}”" for word in words)
    why = f"{said}没有写明{opens}"
    why += f"；系统按这句判定：{sentences[0]}" if sentences else "，也没有规则把它定下来"
    yield Flaw(
        "VAGUE",
        NOTE if sentences else WARN,
        sheet.number,
        why + "。请把标准写进条文",
        detail="、".join(words),
        marks=tuple((one.start(), one.end()) for one in found),
    )


# --- numbers that are no longer true


def stale(sheet: Sheet) -> Iterator[Flaw]:
    """Numbers of the text that no rule of the clause keeps."""
    timed = [rule for rule in sheet.rules if rule.params.get("within")]
    returning = [rule for rule in sheet.rules if rule.kind == "CADENCE"]
    yield from _stale(sheet, spans_in(sheet.text), timed, _within)
    yield from _stale(sheet, periods_in(sheet.text), returning, _per)


def _within(params: dict[str, Any]) -> str:
    return str(spans.parse(params["within"])) if params.get("within") else ""


def _per(params: dict[str, Any]) -> str:
    return f"{params['per']}:{params.get('at_least', 1)}" if params.get("per") else ""


def _stale(sheet: Sheet, said: list[Said], rules: list[Line], value: Any) -> Iterator[Flaw]:
    """A rule none of whose numbers stands in a text that does state some."""
    if not said:
        return
    for rule in rules:
        now = value(rule.params)
        if any(_agree(one.value, now) for one in said):
            continue
        # A number that was a rule's before is certainly meant for it; another one may not be.
        old = [one for one in said if any(_agree(one.value, value(was)) for was in rule.was)]
        if not old and len(rules) > 1:
            continue
        stated = old or said
        yield Flaw(
            "STALE",
            BAD if old else WARN,
            sheet.number,
            f"条文写“{'、'.join(one.words for one in stated)}”，规则是{_words(now)}"
            + ("：规则改过，条文没有跟着改" if old else "，请核对哪个对"),
            detail=f"{'、'.join(one.value for one in stated)}≠{now}",
            figures=(("条文", stated[0].words), ("规则", _words(now))),
            marks=tuple(one.place for one in stated),
        )


def _agree(stated: str, now: str) -> bool:
    """Whether a stated number is that of a rule; where the text says no count, any will do."""
    if ":" in now and ":" not in stated:
        return now.split(":")[0] == stated
    if ":" not in now and stated and now:
        return _exact(stated) == _exact(now)
    return stated == now


def _exact(text: str) -> tuple[float, str]:
    """Minutes and hours by the clock are one scale; days and working days are not."""
    span = spans.parse(text)
    return (span.exact.total_seconds(), "s") if span.is_exact else (span.amount, span.unit.value)


def _words(value: str) -> str:
    if ":" not in value:
        return f" {spans.parse(value).label}"
    per, times = value.split(":")
    return f"每{spans.PeriodKind(per).label} {times} 次"


# --- time in the text, none in the rules


def unruled(sheet: Sheet) -> Iterator[Flaw]:
    """A text that states a time where no rule counts it."""
    if any(rule.gives_duties or rule.kind == "APPROVAL" for rule in sheet.rules):
        return
    said = [*spans_in(sheet.text), *periods_in(sheet.text)]
    if said:
        yield Flaw(
            "UNRULED",
            WARN,
            sheet.number,
            f"条文写了“{'、'.join(one.words for one in said)}”，但没有规则计时，到时不会提醒，"
            "也不会记为违规。请补规则，或写明由谁怎样检查",
            detail="、".join(one.value for one in said),
            marks=tuple(one.place for one in said),
            remedy=(CLAUSE, DRAFT),
        )


def every(sheets: Iterable[Sheet]) -> Iterator[Flaw]:
    """All that the words of these clauses give."""
    for sheet in sheets:
        yield from vague(sheet)
        yield from stale(sheet)
        yield from unruled(sheet)
