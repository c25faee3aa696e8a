"""What a replay found, in words: one vocabulary for each family of what rules bring about.

Duties, refusals (gates and checks on saving), requests for approval, alerts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Words:
    """How one family is spoken of; `counts` is the column by which people are compared."""

    title: str
    number: str
    who: str
    bars: str
    states: dict[str | None, str]
    counts: str = "missed"
    missed: str = ""
    rate: str = ""
    caught: str = ""
    cleared: str = ""
    added: str = "新增"
    dropped: str = "减少"
    note: str = ""


WORDS: Final = {
    "DUTIES": Words(
        title="义务", number="义务", who="责任人", bars="谁会多出违规", missed="违规与迟办",
        rate="守规率", caught="新抓到", cleared="不再算", added="新增义务", dropped="减少",
        states={None: "没有义务", "OPEN": "未到期", "MET": "按时", "LATE": "迟办",
                "BREACHED": "违规", "WAIVED": "豁免"},
    ),
    "REFUSALS": Words(
        title="门槛与保存校验", number="经过的动作", who="经办人", bars="谁会被拦下",
        missed="会被拦下", rate="放行率", caught="新拦下", cleared="不再拦", added="新管到",
        dropped="不再管", states={None: "不管", "MET": "放行", "BREACHED": "拦下"},
        note="现行和草稿都按当时的记录重判；当时就被拦下、没有留下记录的动作不在其中。",
    ),
    "REQUESTS": Words(
        title="审批", number="申请", who="申请人", bars="谁会多出申请", counts="duties",
        added="新增申请", dropped="减少申请", states={None: "不用审批", "OPEN": "要审批"},
        note="现行和草稿都按当时的记录重判，审批人按现在的组织推算。",
    ),
    "ALERTS": Words(
        title="预警", number="预警", who="提醒谁", bars="谁会多收到预警", counts="duties",
        added="新增预警", dropped="减少预警",
        states={None: "没有预警", "OPEN": "未解除", "MET": "已解除"},
    ),
}  # fmt: skip


def families(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The families of a report whose rules were tried; a report of earlier days has only duties."""
    tried = {clause.get("family", "DUTIES") for clause in result["clauses"]}
    found = [{**result, "family": "DUTIES"}, *result.get("families", ())]
    return [one for one in found if one["family"] in tried]


def changed(result: dict[str, Any]) -> int:
    """How many outcomes would be other ones."""
    return sum(sum(one["flips"].values()) for one in families(result))


def flips(words: Words, found: dict[str, int]) -> Iterator[tuple[str, int]]:
    """What changes, as (word, number)."""
    for name in ("caught", "cleared", "added", "dropped"):
        number = found.get(name, 0)
        if label := getattr(words, name):
            yield label, number


def totals(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of one family on both sides."""
    words = WORDS[found["family"]]
    before, after, work = found["before"], found["after"], found["workload"]
    rows = [(words.number, before["duties"], after["duties"])]
    if words.missed:
        rows += [(words.missed, before["missed"], after["missed"])]
        rows += [("涉及人数", work["missing_before"], work["missing_after"])]
    if seats := found.get("seats"):
        rows += [("审批人次", seats["before"], seats["after"])]
    if words.title == "预警":
        rows += [("还没解除", before["open"], after["open"])]
    shown = [
        {"label": label, "before": a, "after": b, "more": f"{b - a:+d}" if b != a else "0"}
        for label, a, b in rows
    ]
    return [*_rates(words, before, after), *shown, *_costs(words, found)]


def _rates(words: Words, before: Any, after: Any) -> list[dict[str, Any]]:
    if not words.rate:
        return []
    rates = [before["rate"], after["rate"]]
    more = f"{100 * (rates[1] - rates[0]):+.1f}" if None not in rates else "–"
    said = [f"{100 * rate:.1f}%" if rate is not None else "–" for rate in rates]
    return [{"label": words.rate, "before": said[0], "after": said[1], "more": more}]


def _costs(words: Words, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What it costs: more duties for a person, more hours for the approvers."""
    if seats := found.get("seats"):
        each, more = seats["hours_per_seat"], seats["more_hours_per_week"]
        if each is None:
            return [{"label": "审批人每周多占", "after": "还没有用时可参照"}]
        return [{"label": f"审批人每周多占（近来一份 {each:g} 小时）", "after": f"{more:g} 小时"}]
    if words.title != "义务":
        return []
    more = found["workload"]["more_per_person_and_week"]
    return [{"label": "每人每周多出", "after": f"{more:.1f} 件"}]
