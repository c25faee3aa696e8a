"""Conditions as rows of a form: a declared fact, a word, values from its vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fangyuan.core import facts, measured, words
from fangyuan.core.models import Term

MOST_TERMS = 200
COMPARED = {"at_least": "不小于", "at_most": "不大于", "above": "大于", "below": "小于"}
GIVEN = {"not_empty": "已填写", "empty": "没有填写"}
CHOSEN = {"is": "是", "not": "不是"}
HAS = {"has": "含", "not_has": "不全含"}
# What the system keeps of every record; no regulation speaks of it.
KEPT = ("id", "key", "revision", "recorded_by", "imported_at", "removed_at", "changed_at")
BLANK = 1  # rows offered for further conditions


@dataclass
class Row:
    """One condition: on which fact, by which word, with which values."""

    place: int
    name: str = ""
    label: str = ""
    word: str = ""
    words: list[tuple[str, str]] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    options: list[tuple[str, str]] = field(default_factory=list)
    is_free: bool = False
    facts: list[tuple[str, str]] = field(default_factory=list)
    kept: str = ""
    prefix: str = ""  # how the names of its fields begin


def askable(model: Any) -> dict[str, Any]:
    """The declared facts that a condition may ask, in the order of their labels."""
    found = {
        name: fact
        for name, fact in facts.of(model).items()
        if fact.kind not in ("json", "file") and name not in KEPT
    }
    return dict(sorted(found.items(), key=lambda pair: pair[1].label))


def rows(model: Any, condition: dict[str, Any]) -> list[Row]:
    """The rows of a condition, with a blank one to add to it."""
    names = [(name, fact.label) for name, fact in askable(model).items()]
    found = []
    for place, (name, wanted) in enumerate(condition.items()):
        found.append(_row(model, place, name, wanted))
        found[-1].facts = names
    for extra in range(BLANK):
        found.append(Row(len(condition) + extra, facts=names))
    return found


def _row(model: Any, place: int, name: str, wanted: Any) -> Row:
    known = askable(model)
    triples = [] if name == "any" or name not in known else list(words.split(wanted))
    if len(triples) != 1 or triples[0][0] in ("same_as", "valid"):
        return Row(place, name, kept=_said(model, name, wanted))
    fact, (word, positive, operand) = known[name], triples[0]
    row = blank(fact, place, name)
    if row.words == list(GIVEN.items()):
        row.word = "empty" if (operand is True) == positive else "not_empty"
    elif word == "empty":
        row.words = list(GIVEN.items()) + row.words
        row.word = "empty" if (operand is True) == positive else "not_empty"
    elif word in ("is", "in"):
        row.word = "is" if positive else "not"
        row.values = [_code(one) for one in (operand if isinstance(operand, list) else [operand])]
    else:
        row.word = word if positive else f"not_{word}"
        row.values = [str(one) for one in (operand if isinstance(operand, list) else [operand])]
    return row


def _code(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(model: Any, name: str, wanted: Any) -> str:
    if measured.is_measured(model, name):
        return str(measured.sentence(model, name, wanted))
    return words.sentence(model, {name: wanted})


def blank(fact: Any, place: int, name: str) -> Row:
    """A row for a fact, with the words and values that fit its kind."""
    row = Row(place, name, fact.label)
    if fact.kind == "bool":
        row.words, row.options = [("is", "")], [("true", "是"), ("false", "否")]
    elif fact.kind == "set":
        row.words, row.options = list(HAS.items()), _options(fact)
        row.is_free = not row.options
    elif fact.choices or fact.domain:
        row.words, row.options = list(CHOSEN.items()), _options(fact)
    elif fact.kind in ("int", "number"):
        row.words, row.is_free = [*COMPARED.items(), ("is", "等于")], True
    else:
        row.words = list(GIVEN.items())
    row.word = row.words[0][0]
    return row


def _options(fact: Any) -> list[tuple[str, str]]:
    if fact.choices:
        return list(fact.choices.items())
    if not fact.domain:
        return []
    terms = Term._base_manager.filter(domain=fact.domain, active=True).order_by("rank", "label")
    return [(term.code, term.label) for term in terms[:MOST_TERMS]]


# --- reading back


def read(model: Any, before: dict[str, Any], sent: Any) -> dict[str, Any]:
    """The condition that a form says; what it could not show it keeps, unless taken out."""
    return dict(_read(model, before, sent))


def sent_rows(model: Any, before: dict[str, Any], sent: Any) -> list[Row]:
    """The rows as they stand in an open form, a fact chosen in a blank one with its words."""
    said = read(model, before, sent)
    found = rows(model, said)
    known = askable(model)
    for place in sent.getlist("row"):
        name = sent.get(f"fact_{place}", "")
        if name in known and name not in said:
            fresh = blank(known[name], int(place), name)
            fresh.facts = found[0].facts
            found.insert(-1, fresh)
    for number, row in enumerate(found):
        row.place = number
    return found


def _read(model: Any, before: dict[str, Any], sent: Any) -> Iterator[tuple[str, Any]]:
    known = askable(model)
    for place in sent.getlist("row"):
        name = sent.get(f"fact_{place}", "")
        if sent.get(f"drop_{place}") or not name:
            continue
        if sent.get(f"kept_{place}"):
            if name in before:
                yield name, before[name]
        elif name in known:
            value = _value(known[name], sent.get(f"word_{place}"), sent.getlist(f"value_{place}"))
            if value is not None:
                yield name, value


def _value(fact: Any, word: str | None, values: list[str]) -> Any:
    values = [one.strip() for one in values if one.strip()]
    if word in GIVEN:
        return {word: True}
    if not word or not values:
        return None
    one: Any = values if len(values) > 1 else values[0]
    if fact.kind == "bool":
        one = values[0] == "true"
    elif fact.kind == "set":
        listed = values if len(values) > 1 else values[0].replace("，", "、").split("、")
        one = {word: listed}
    elif fact.kind in ("int", "number"):
        number = _number(values[0])
        one = number if word == "is" else {word: number}
    elif word == "not":
        one = {"not": one}
    return one


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
