"""Verbs on opportunities: open, judge, move on, win, lose, and what is done in a stage."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.core import facts
from fangyuan.customers import conversion, holding
from fangyuan.opportunities import exits, moving
from fangyuan.opportunities.models import Opportunity, Stage
from fangyuan.org.models import Holding, Person

OPEN: Final = "OPEN"


def _lacking(field: str, sentence: str) -> door.Refused:
    return door.Refused([door.Unmet(sentence, field, record="opportunity")])


def still_open(deed: door.Deed, opportunity: Any) -> Any:
    held = deed.held(opportunity)
    if held.outcome != OPEN:
        raise door.Denied(f"商机已{held.get_outcome_display()}，不能再推进")
    return held


@door.verb("opportunity", label="立项", writes=("initiated_at",))
def initiate(deed: door.Deed, opportunity: Any) -> Any:
    """Take the project up for good: from here on it counts (PS-2.2.1, PA-4.3)."""
    held = still_open(deed, opportunity)
    return deed.change(held, initiated_at=held.initiated_at or deed.at)


@door.verb(
    "opportunity",
    label="评估",
    asks=("evaluation", "feasibility", "purchasing_power", "need_traits"),
    writes=("evaluation", "evaluated_at"),
)
def evaluate(deed: door.Deed, opportunity: Any, **found: Any) -> Any:
    """Judge whether the chance is worth its cost (KA-4.1.3)."""
    told = {name: value for name, value in found.items() if value not in (None, "")}
    return deed.change(still_open(deed, opportunity), {**told, "evaluated_at": deed.at})


@door.verb("opportunity", label="标为重大", writes=("is_major", "major_at"))
def mark_major(deed: door.Deed, opportunity: Any) -> Any:
    """Note that the project is a major one; a project meeting follows (KA-7.2.2)."""
    held = still_open(deed, opportunity)
    return deed.change(held, is_major=True, major_at=held.major_at or deed.at)


@door.verb("opportunity", label="推进", writes=("stage", "left"))
def advance(deed: door.Deed, opportunity: Any) -> Any:
    """Go on to the next stage; the exit of the one that is left is judged by its clauses."""
    held = still_open(deed, opportunity)
    nextone = moving.after(held.stage)
    if nextone is None:
        raise door.Denied("已是最后一个阶段")
    return deed.change(held, {"stage": nextone, "left": held.stage, **_expected(held, nextone)})


def _expected(held: Any, stage: Stage) -> dict[str, Any]:
    """The stage's own chance of winning, unless somebody judged it higher."""
    if stage.win_rate is None or (held.win_rate or 0) >= stage.win_rate:
        return {}
    return {"win_rate": stage.win_rate}


@door.verb("opportunity", label="退回上一阶段", asks=("strategy",), writes=("stage", "left"))
def step_back(deed: door.Deed, opportunity: Any, *, strategy: str = "") -> Any:
    """Go back one stage, with what is to be done now; the history stays."""
    held = still_open(deed, opportunity)
    before = moving.after(held.stage, -1)
    if before is None or before.owner_record != "OPPORTUNITY":
        raise door.Denied("已是商机的第一个阶段")
    told = {"strategy": strategy} if strategy else {}
    return deed.change(held, {"stage": before, "left": None, **told})


@door.verb("opportunity", label="移到", asks=("stage",), writes=("stage",))
def move_opportunity(deed: door.Deed, opportunity: Any, *, stage: Any) -> Any:
    """Move a card to another lane; skipping is refused with all that the stages between demand."""
    held = still_open(deed, opportunity)
    if stage is None or stage.pipeline_id != held.pipeline_id:
        raise door.Denied("请选同一条流水线里的阶段")
    away = stage.seq - held.stage.seq
    if away == 1:
        return door.act("advance", held, by=deed.by, channel=deed.channel)
    if away == -1:
        return door.act("step_back", held, by=deed.by, channel=deed.channel)
    if away > 1:
        raise _skipped(held, stage)
    raise door.Denied("一次只退回一个阶段" if away else "已在这个阶段")


def _skipped(held: Any, stage: Stage) -> door.Refused:
    """Why a stage cannot be skipped: what each one between demands (PS-2.0a)."""
    between = [s for s in moving.stages(held.pipeline_id) if held.stage.seq <= s.seq < stage.seq]
    names = "、".join(one.code for one in between[1:])
    told = [door.Unmet(f"不能跳过 {names}，一次只进一个阶段", "stage", record="opportunity")]
    return door.Refused([*told, *exits.lacking(held, between)])


@door.verb("opportunity", label="赢单", writes=("outcome", "closed_at", "win_rate"))
def win(deed: door.Deed, opportunity: Any) -> Any:
    """Close the opportunity as won (PS-2.6.2.4, PA-9.2.7)."""
    values = {"outcome": "WON", "closed_at": deed.at, "win_rate": 100}
    return deed.change(still_open(deed, opportunity), values)


@door.verb(
    "opportunity",
    label="输单",
    asks=("loss_reason", "loss_note"),
    writes=("outcome", "closed_at", "loss_reason"),
)
def lose(deed: door.Deed, opportunity: Any, *, loss_reason: Any, loss_note: str = "") -> Any:
    """Close the opportunity as lost, with the reason and what is to be learnt from it."""
    if loss_reason is None:
        raise _lacking("loss_reason", "选输单原因")
    values = {"outcome": "LOST", "closed_at": deed.at, "loss_reason": loss_reason, "win_rate": 0}
    return deed.change(still_open(deed, opportunity), {**values, "loss_note": loss_note})


@door.verb(
    "opportunity", label="放弃", asks=("loss_note",), writes=("outcome", "closed_at", "win_rate")
)
def drop(deed: door.Deed, opportunity: Any, *, loss_note: str = "") -> Any:
    """Give the opportunity up, saying why."""
    if not loss_note.strip():
        raise _lacking("loss_note", "写明为什么放弃")
    values = {"outcome": "DROPPED", "closed_at": deed.at, "win_rate": 0, "loss_note": loss_note}
    return deed.change(still_open(deed, opportunity), values)


@door.verb(
    "opportunity",
    label="重新打开",
    writes=("outcome", "closed_at", "loss_reason", "win_rate"),
)
def reopen(deed: door.Deed, opportunity: Any) -> Any:
    """Take a lost or dropped opportunity up again where it stood; its history goes on."""
    held = deed.held(opportunity)
    if held.outcome not in ("LOST", "DROPPED"):
        raise door.Denied("只有输单或放弃的商机可以重新打开")
    values = {"outcome": OPEN, "closed_at": None, "loss_reason": None}
    return deed.change(held, {**values, "win_rate": held.stage.win_rate})


@door.verb(
    "opportunity",
    label="换流水线",
    asks=("pipeline",),
    writes=("pipeline", "stage", "left", "moved_pipeline_at"),
)
def change_pipeline(deed: door.Deed, opportunity: Any, *, pipeline: Any) -> Any:
    """Go on in another pipeline at the stage with the same tag, once, before negotiating (C-01)."""
    held = still_open(deed, opportunity)
    if held.moved_pipeline_at is not None:
        raise door.Denied("流水线只能换一次")
    if pipeline is None or pipeline.key == held.pipeline_id:
        raise _lacking("pipeline", "选另一条流水线")
    order = [tag for tag, _ in Stage._meta.get_field("stage_tag").choices]  # type: ignore[union-attr]
    place = order.index(held.stage.stage_tag)
    if place >= order.index("NEGOTIATION"):
        raise door.Denied("已进入谈判，不能再换流水线")
    there = [s for s in moving.stages(pipeline.key) if s.owner_record == "OPPORTUNITY"]
    fitting = [s for s in there if order.index(s.stage_tag) <= place] or there[:1]
    values = {"pipeline": pipeline, "stage": fitting[-1], "left": None}
    return deed.change(held, {**values, "moved_pipeline_at": deed.at})


@door.verb("opportunity", label="启动验证", writes=("poc_at",))
def start_poc(deed: door.Deed, opportunity: Any) -> Any:
    """Begin a proof of concept, which takes people and time (PS-3.5c)."""
    return deed.change(still_open(deed, opportunity), poc_at=deed.at)


@door.verb("opportunity", label="转移", asks=("person", "reason"))
def transfer_opportunity(
    deed: door.Deed, opportunity: Any, *, person: Person, reason: str = ""
) -> Any:
    """Hand an opportunity on; its stage, history, needs and steps stay as they are."""
    if person is None:
        raise _lacking("person", "选接手的人")
    holding.hand_to(opportunity, person, at=deed.at, reason=reason)
    return opportunity


@door.verb("opportunity", label="加成员", asks=("person", "role"))
def add_member(deed: door.Deed, opportunity: Any, *, person: Person, role: str) -> Any:
    """Have a colleague take part in a role: presales, product, service … (PJ-1.5, PS-2.3.2.2)."""
    held = still_open(deed, opportunity)
    if person is None:
        raise _lacking("person", "选一位同事")
    if role == Holding.Role.OWNER:
        raise door.Denied("换负责人请用“转移”")
    deed.change(held, {})  # asks whether one may
    known = Holding._base_manager.filter(
        subject_type="opportunity", subject_id=held.pk, person=person, role=role, ends_at=None,
        removed_at=None,
    )  # fmt: skip
    if known.exists():
        raise door.Denied(f"{person.name}已是这个商机的{Holding.Role(role).label}")
    with door.acting(by=None, action="add_member", reason="加入商机团队") as system:
        values = {"subject": held, "person": person, "role": role, "starts_at": deed.at}
        system.create(Holding, values)
    return held


@door.verb("step", label="办完", asks=("note", "proof"), writes=("state", "done_at"))
def finish_step(deed: door.Deed, step: Any, **told: Any) -> Any:
    """Note that an item of a stage is done, with its proof."""
    given = {name: value for name, value in told.items() if value not in (None, "")}
    return deed.change(step, {**given, "state": "DONE", "done_at": step.done_at or deed.at})


def open_for(deed: door.Deed, lead: Any, customer: Any, told: dict[str, Any]) -> Any:
    """The opportunity that a lead becomes: its needs, source and owner go with it (PS-2.1.1)."""
    values = {
        "name": f"{customer.name} {lead.need_detail or lead.need}".strip()[:60],
        "customer": customer,
        "lead": lead,
        "pipeline_id": lead.pipeline_id,
        "source": lead.source,
        "tag_source": _tag_source(lead),
        "needs_summary": lead.need_detail or lead.need,
        "budget": lead.budget,
        "timeframe": lead.timeline,
        "authority": lead.authority,
        "decision_chain": lead.decision_chain,
        "pain": lead.contact_pain,
        "expected_on": _decided_on(customer, deed),
        **{name: value for name, value in told.items() if value is not None},
    }
    made = deed.create(Opportunity, values)
    answers = holding.held(customer)
    owner = answers.person if answers is not None else deed.by
    if owner is not None:
        holding.hand_to(made, owner, at=deed.at, reason="线索转商机")
    return made if _is_borne_out(made) else deed.change(made, tag_source="OTHER")


def _decided_on(customer: Any, deed: door.Deed) -> date | None:
    """When the customer, who takes so many days to decide, should sign (TAG-2.1.5.3)."""
    days = customer.decision_days
    return timezone.localdate(deed.at) + timedelta(days=days) if days else None


def _is_borne_out(opportunity: Any) -> bool:
    """Whether a record shows that the opportunity came from where it is said to (TAG-2.2.1)."""
    rows = facts.annotate(Opportunity._base_manager.filter(pk=opportunity.pk), ["source_linked"])
    return bool(rows.values_list(facts.find(Opportunity, "source_linked").path, flat=True).get())


def _tag_source(lead: Any) -> str:
    told = (lead.source.maps or {}).get("tag_source") if lead.source else None
    return str(told) if told in Opportunity.TagSource.values else "OTHER"


conversion.leads_to(open_for)
