"""Why a duty stands where it stands: the clause, the rule read back, its instants and its moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fangyuan.core import facts, records
from fangyuan.desk import duties
from fangyuan.desk.columns import Cell, Column, Facade
from fangyuan.desk.panels import Panel, Scene, verb_label
from fangyuan.engine import kinds
from fangyuan.engine.models import Move, Rule, State, Waiver

# What the ledger notes with a move, in words.
BECAUSE = {
    "due passed": "到期还没办",
    "done": "办了",
    "done late": "到期后才办",
    "late recording": "到期前已办，后来才录入",
    "left scope": "不再适用",
    "waiver": "豁免变动",
    "calendar": "工作日历变动，到期时间随之改变",
    "corrected": "所依据的记录更正",
}
NOTED = {
    "told_late": "事情发生得早，系统知道得晚",
    "imported": "来自历史导入",
    "provisional": "到期日所在的年份还没有公布工作日历，暂按推算",
}


@dataclass
class Why(Panel):
    """The derivation of one obligation, step by step."""

    name: str = "why"
    title: str = "为什么"

    def context(self, scene: Scene) -> dict[str, Any]:
        row = scene.record
        rule, _ = row.rule, row.person  # the duty in words names the person only if known
        moves = Move.objects.everything("所属义务在范围内").filter(obligation_id=row.pk)
        waived = row.cause.get("waiver")
        return {
            "duty": duties.describe([row], scene.actor)[0],
            "clause": rule.clause,
            "sentence": kinds.read(rule.kind, rule.record, rule.params).sentence(),
            "steps": self._steps(row),
            "notes": [said for name, said in NOTED.items() if row.cause.get(name)],
            "waiver": Waiver._base_manager.filter(pk=waived).first() if waived else None,
            "moves": [_move(one) for one in moves.order_by("at", "id")],
            "state": State(row.state).label,
        }

    def _steps(self, row: Any) -> list[tuple[str, datetime | None]]:
        params = row.rule.params
        model = records.row_types()[row.subject_type]
        begun = _label(model, params.get("on", "")) or "起算"
        met = _label(model, params.get("until", "")) or "完成"
        return [(f"起：{begun}", row.began_at), ("到期", row.due_at), (f"办结：{met}", row.met_at)]


@dataclass
class DutyTitle(Column):
    """What an obligation asks for, and about whom."""

    name: str = "duty"
    label: str = "义务"

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: Any) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        with_clause(rows)
        self.found = {one.pk: one for one in duties.describe(rows, facade.labels.actor)}

    def cell(self, row: Any, facade: Facade) -> Cell:
        duty = self.found[row.pk]
        return Cell("title", duty.title, url=duty.why_url, note=duty.subject)


@dataclass
class ClauseChip(Column):
    """The clause behind an obligation."""

    name: str = "clause"
    label: str = "依据"
    is_wide: bool = True

    def fields(self) -> tuple[str, ...]:
        return ()

    def is_numeric(self, model: Any) -> bool:
        return False

    def load(self, rows: Sequence[Any], facade: Facade, now: datetime) -> None:
        with_clause(rows)

    def cell(self, row: Any, facade: Facade) -> Cell:
        clause = row.rule.clause
        return Cell("clause", clause.number, url=f"/clause/{clause.number}", note=clause.title)


def with_clause(rows: Sequence[Any]) -> None:
    """Give every obligation its rule and clause, in one query however many there are."""
    if all("rule" in row._state.fields_cache for row in rows):
        return
    rules = Rule.objects.everything("条款供阅读").select_related("clause")
    found = rules.in_bulk({row.rule_id for row in rows})
    for row in rows:
        row.rule = found[row.rule_id]


def _label(model: Any, name: str) -> str:
    said = facts.label(model, name) if name else ""
    return "" if said == name else said


def _move(move: Any) -> dict[str, Any]:
    cause = move.because.get("cause", "")
    was = State(move.was).label if move.was in State.values else ""
    became = State(move.became).label if move.became in State.values else move.became
    return {"at": move.at, "was": was, "became": became, "because": BECAUSE.get(cause, cause)}


def duty_title(row: Any, actor: Any) -> str:
    """What an obligation is called: what to do, about whom."""
    duty = duties.describe([row], actor)[0]
    return f"{duty.title} · {duty.subject}"


def request_title(row: Any, actor: Any) -> str:
    """What a request is called: the action, about what."""
    name = duties.subject_names([row], actor).get((row.subject_type, row.subject_id))
    return f"{verb_label(row.action)} · {name}" if name else verb_label(row.action)
