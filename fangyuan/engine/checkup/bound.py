"""Whether clauses are carried: by something that exists, by rules they speak of, and proved."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from fangyuan.engine import approval
from fangyuan.engine.checkup.flaws import BAD, NOTE, WARN, Flaw
from fangyuan.engine.checkup.sheets import Line, Sheet
from fangyuan.engine.packs import bindings, product

_OWN = ("bind", "kind", "record")
# What gates and approvals give duties about: gaps let pass, seats to be answered.
MADE = ("debt", "approval", "request")


def every(sheets: Iterable[Sheet], proved: Mapping[str, bool] | None) -> Iterator[Flaw]:
    """Clauses without anything that carries them, rules without a clause, rules without proof."""
    for sheet in sheets:
        yield from _unbound(sheet)
        yield from _untold(sheet)
        if proved is not None and sheet.rules and not proved.get(sheet.number, False):
            yield Flaw(
                "UNPROVED",
                NOTE,
                sheet.number,
                "这一条有规则，却没有一个通过的例子说明它照条文执行。请在例子里补上给定、当、则",
                figures=(("规则", f"{len(sheet.rules)} 条"),),
            )


def _unbound(sheet: Sheet) -> Iterator[Flaw]:
    if not sheet.bindings and not sheet.rules:
        why = "这一条没有任何规则、页面、记录或权限来落实，只能靠人记着"
        yield Flaw("UNBOUND", BAD, sheet.number, why)
        return
    lacking = [_lacking(json.dumps(one, sort_keys=True)) for one in sheet.bindings]
    missing = sorted({name for names in lacking for name in names})
    if not missing:
        return
    carried = sum(not names for names in lacking)
    counts = any(one.get("bind") in ("rule", "gate", "approval") for one in sheet.bindings)
    why = f"产品里还没有{'、'.join(missing[:4])}{' 等' if len(missing) > 4 else ''}"
    why += "，这一条只落实了一部分" if carried else "，这一条还没有落实"
    figures = (("已有承载", f"{carried} / {len(lacking)}"),)
    severity = WARN if counts and not carried else NOTE
    yield Flaw("UNBOUND", severity, sheet.number, why, detail=",".join(missing), figures=figures)


@functools.lru_cache(maxsize=4096)
def _lacking(raw: str) -> tuple[str, ...]:
    """What a binding needs and this product does not have."""
    given = json.loads(raw)
    shape = bindings.shape_of(given)
    if not shape:
        return (str(given.get("bind", "")),)
    model, values = bindings.read(shape, given)
    try:
        binding = model.model_validate(values)
    except ValidationError:
        return ("看不懂的绑定",)
    return tuple(str(wait) for wait in _running().waits(binding))


@functools.cache
def _running() -> product.Product:
    return product.running()


def _untold(sheet: Sheet) -> Iterator[Flaw]:
    """Rules that the clause does not name, or names with other parameters."""
    for rule in () if sheet.is_drafted else sheet.rules:
        if not any(_is_told(rule, raw) for raw in sheet.bindings):
            why = "系统在执行的规则和条款里写的承载不一样，看条款的人看不到它"
            yield Flaw("UNTOLD", WARN, sheet.number, why, detail=str(rule.line))


def _is_told(rule: Line, raw: dict[str, object]) -> bool:
    if raw.get("bind") in ("gate", "approval") and rule.record in MADE:
        return True
    is_same = {k: v for k, v in raw.items() if k not in _OWN} == rule.params
    return raw.get("record") == rule.record and is_same


def demanded(sheets: Iterable[Sheet], labels: Mapping[str, str]) -> Iterator[Flaw]:
    """What the product wants agreed to although no clause in force says so."""
    rules = [rule for sheet in sheets for rule in sheet.rules if rule.kind == "APPROVAL"]
    written = {f"{rule.record}.{rule.params['on']}" for rule in rules}
    for action in approval.demanded():
        if action not in written:
            said = f"“{labels.get(action, action)}”要审批是产品自带的，制度里没有条款这样写"
            remedy = (("看制度库", "/policy/"),)
            yield Flaw("UNTOLD", NOTE, "", said, detail=action, remedy=remedy)
