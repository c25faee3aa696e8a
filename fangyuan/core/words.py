"""The ten words in which packs speak about facts, and what each means as a filter and in Chinese.

`is in at_least at_most above below empty has same_as valid`, each also with `not_`, and `any` for
alternatives. There is no eleventh word: what they cannot say becomes a declared fact.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import F, Q

from fangyuan.core import facts

WORDS = (
    "is", "in", "at_least", "at_most", "above", "below", "empty", "has", "same_as", "valid",
)  # fmt: skip
ORDERED = {"at_least": "gte", "at_most": "lte", "above": "gt", "below": "lt"}
FORMATS = {
    "phone": r"^(\+[0-9]{6,20}|1[3-9][0-9]{9}|[0-9-]{3,20})$",
    "email": r"^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$",
    "uscc": r"^[0-9A-HJ-NPQRTUWXY]{18}$",
}
Condition = Mapping[str, Any]


class WordError(ValueError):
    """A condition that cannot be understood; the message says what is wrong and what to write."""


def split(wanted: Any) -> Iterator[tuple[str, bool, Any]]:
    """One fact's condition as (word, is it meant positively, operand) triples."""
    if isinstance(wanted, list | tuple):
        yield "in", True, list(wanted)
    elif isinstance(wanted, Mapping):
        for word, operand in wanted.items():
            if word == "not":
                yield "in" if isinstance(operand, list) else "is", False, operand
            elif word in WORDS:
                yield word, True, operand
            elif word.removeprefix("not_") in WORDS:
                yield word.removeprefix("not_"), False, operand
            else:
                near = difflib.get_close_matches(word, WORDS, n=1)
                hint = f"，是不是“{near[0]}”" if near else ""
                raise WordError(f"没有“{word}”这个词{hint}；可用的词：{'、'.join(WORDS)}")
    else:
        yield "is", True, wanted


def names(condition: Condition) -> set[str]:
    """Every fact that a condition asks for."""
    found: set[str] = set()
    for name, wanted in (condition or {}).items():
        if name == "any":
            found.update(*(names(group) for group in wanted))
            continue
        found.add(name)
        found.update(operand for word, _, operand in split(wanted) if word == "same_as")
    return found


def where(model: Any, condition: Condition) -> Q:
    """The condition as a filter over rows that `facts.annotate(rows, names(condition))` gave."""
    met = Q()
    for name, wanted in (condition or {}).items():
        if name == "any":
            either = Q()
            for group in wanted:
                either |= where(model, group)
            met &= either
            continue
        fact = facts.find(model, name)
        for word, positive, operand in split(wanted):
            one = _filter(model, fact, word, operand)
            met &= one if positive else ~one
    return met


def _filter(model: Any, fact: facts.Fact, word: str, operand: Any) -> Q:
    path = fact.path
    if word in ORDERED:
        return Q(**{f"{path}__{ORDERED[word]}": operand})
    if word in ("in", "has"):
        codes = operand if isinstance(operand, list) else [operand]
        lookup = "in" if word == "in" else "contains"
        return Q(**{f"{path}__{lookup}": [facts.qualified(fact, one) for one in codes]})
    if word == "empty":
        return _empty(fact) if operand else ~_empty(fact)
    if word == "same_as":
        return Q(**{path: F(facts.find(model, operand).path)})
    if word == "valid":
        # Whether something must be given at all is said by `empty`.
        return Q(**{path: ""}) | Q(**{path: None}) | Q(**{f"{path}__regex": FORMATS[operand]})
    return Q(**{path: facts.qualified(fact, operand) if operand is not None else None})


def _empty(fact: facts.Fact) -> Q:
    missing = Q(**{fact.path: None})
    if fact.kind == "bool" and not isinstance(fact, facts.Plain):
        return missing | Q(**{fact.path: False})
    if fact.kind in ("text", "phone", "email", "file"):
        return missing | Q(**{fact.path: ""})
    if fact.kind == "enum" and not fact.domain:
        return missing | Q(**{fact.path: ""})
    if fact.kind == "set":
        return missing | Q(**{fact.path: []})
    if fact.kind == "json":
        return missing | Q(**{f"{fact.path}": []}) | Q(**{f"{fact.path}": {}})
    return missing


# --- strict validation


def faults(model: Any, condition: Condition) -> list[str]:
    """What is wrong with a condition on this record type, each fault in a Chinese sentence."""
    found: list[str] = []
    for name, wanted in (condition or {}).items():
        if name == "any":
            if not isinstance(wanted, list) or not wanted:
                found.append("any 后面要列出至少一组条件")
                continue
            for group in wanted:
                found += faults(model, group)
            continue
        try:
            fact = facts.find(model, name)
            found += [f"“{name}”：{one}" for one in _faults(model, fact, wanted)]
        except (facts.UnknownFact, WordError) as wrong:
            found.append(str(wrong))
    return found


def _faults(model: Any, fact: facts.Fact, wanted: Any) -> Iterator[str]:
    for word, _, operand in split(wanted):
        if word == "same_as":
            facts.find(model, str(operand))
        elif word in ("in", "has"):
            yield from _list_faults(fact, word, operand)
        elif word in ORDERED:
            if fact.kind not in ("int", "number", "date", "at") or isinstance(operand, bool):
                yield f"{fact.label}不能比大小"
            elif not isinstance(operand, int | float | Decimal | date | str):
                yield f"“{operand}”不是数"
        elif word in ("empty", "valid"):
            yield from _operand_faults(word, operand)
        else:
            yield from _value_faults(fact, operand)


def _list_faults(fact: facts.Fact, word: str, operand: Any) -> Iterator[str]:
    if word == "has" and fact.kind != "set":
        yield f"{fact.label}不是集合，不能用 has"
    if not isinstance(operand, list) or not operand:
        yield f"{word} 后面要写一个列表"
        return
    for one in operand:
        yield from _value_faults(fact, one)


def _operand_faults(word: str, operand: Any) -> Iterator[str]:
    if word == "empty" and not isinstance(operand, bool):
        yield f"empty 后面写 true 或 false，不能写“{operand}”"
    if word == "valid" and operand not in FORMATS:
        yield f"没有“{operand}”这种格式，可用：{'、'.join(FORMATS)}"


def _value_faults(fact: facts.Fact, value: Any) -> Iterator[str]:
    if fact.kind == "bool" and not isinstance(value, bool):
        yield f"{fact.label}只能是 true 或 false，不能是“{value}”"
    elif fact.choices and value is not None and str(value) not in fact.choices:
        near = difflib.get_close_matches(str(value), fact.choices, n=1, cutoff=0.4)
        hint = f"，是不是“{near[0]}”（{fact.choices[near[0]]}）" if near else ""
        yield f"{fact.label}没有“{value}”这个取值{hint}；可用：{'、'.join(fact.choices)}"


# --- sentences


def sentence(model: Any, condition: Condition) -> str:
    """The condition in Chinese, e.g. 方式是面对面拜访,且是KA客户."""
    said: list[str] = []
    for name, wanted in (condition or {}).items():
        if name == "any":
            said.append("（" + "，或者".join(sentence(model, group) for group in wanted) + "）")
            continue
        fact = facts.find(model, name)
        said += [_said(model, fact, *one) for one in split(wanted)]
    return "且".join(said)


def about(model: Any, condition: Condition, noun: str) -> str:
    """Records that meet a condition, as a noun: KA客户的面对面拜访, 等级为重点的客户.

    What says of which kind a record is takes the place of its noun.
    """
    said: list[str] = []
    for name, wanted in (condition or {}).items():
        if name == "any":
            said.append(sentence(model, {name: wanted}))
            continue
        fact = facts.find(model, name)
        for word, positive, operand in split(wanted):
            one = _said(model, fact, word, positive, operand)
            if is_kind := _kind_noun(fact, word, positive, operand):
                noun = is_kind
            elif one == fact.label and one.endswith(noun):
                noun = one
            else:
                said.append(one)
    return f"{'且'.join(said)}的{noun}" if said else noun


def _kind_noun(fact: facts.Fact, word: str, positive: bool, operand: Any) -> str:
    one = operand[0] if isinstance(operand, list) and len(operand) == 1 else operand
    plain = positive and word in ("is", "in") and not isinstance(one, list | bool)
    return value_label(fact, one) if plain and fact.name.split(".")[-1] == "kind" else ""


def _said(model: Any, fact: facts.Fact, word: str, positive: bool, operand: Any) -> str:
    if word in ORDERED:
        yes, no = _COMPARED[word]
        return f"{fact.label}{yes if positive else no} {_amount(operand)}"
    if word == "valid":
        return f"{fact.label}格式{'' if positive else '不'}正确"
    if word == "same_as":
        other = facts.label(model, operand)
        return f"{fact.label}与{other}{'相等' if positive else '不相等'}"
    if word == "empty" or isinstance(operand, bool):
        return _said_truth(fact, word, operand == positive)
    return _said_values(fact, word, positive, operand)


def _amount(operand: Any) -> str:
    """A number as one says it: whole ten thousands as 万."""
    is_round = isinstance(operand, int) and operand >= _WAN and operand % _WAN == 0
    return f"{operand // _WAN:,} 万" if is_round else str(operand)


_WAN = 10_000


def _said_truth(fact: facts.Fact, word: str, is_true: bool) -> str:
    if word == "empty" and fact.kind != "bool":
        return f"没有填{fact.label}" if is_true else f"填写了{fact.label}"
    is_true = is_true if word == "is" else not is_true
    return fact.label if is_true else f"不是{fact.label}"


def _said_values(fact: facts.Fact, word: str, positive: bool, operand: Any) -> str:
    values = operand if isinstance(operand, list) else [operand]
    told = [value_label(fact, one) for one in values]
    if word == "has":
        return f"{fact.label}{'含' if positive else '不全含'}{'、'.join(told)}"
    listed = told[0] if len(told) == 1 else "、".join(told[:-1]) + "或" + told[-1]
    if isinstance(operand, int):
        listed = f" {listed} "
    return f"{fact.label}{'为' if positive else '不是'}{listed}".rstrip()


_COMPARED = {
    "at_least": ("不小于", "小于"),
    "at_most": ("不大于", "大于"),
    "above": ("大于", "不大于"),
    "below": ("小于", "不小于"),
}


def value_label(fact: facts.Fact, value: Any) -> str:
    """A value in the words of its vocabulary."""
    if str(value) in fact.choices:
        return fact.choices[str(value)]
    if fact.domain:
        return term_label(str(facts.qualified(fact, value)))
    if value is None:
        return "空"
    return str(value)


@functools.lru_cache(maxsize=2048)
def term_label(key: str) -> str:
    """The name of an entry of an open vocabulary, or its code where it is not stored."""
    rows = apps.get_model("core", "Term")._base_manager.filter(key=key)
    return str(rows.values_list("label", flat=True).first() or key.split(":", 1)[-1])
