"""Verbs on leads, from the first look to the customer; each stage has one that leads to it."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.core import facts
from fangyuan.customers import conversion, holding, pooling
from fangyuan.org.models import Person

ENDS = {"NURTURE": "转培育", "RETURNED": "退回市场部", "ARCHIVED": "存档", "INVALID": "无效"}
BANT = ("intent", "budget", "authority", "need_detail", "timeline", "decision_chain")
OPEN = ("NEW", "NURTURE", "MQL", "ASSIGNED", "SQL")


def _advance(deed: door.Deed, lead: Any, stage: str, **more: Any) -> Any:
    if stage not in type(lead).moves.get(lead.stage, ()):
        to = type(lead).Stage(stage).label
        raise door.Denied(f"线索不能从“{lead.get_stage_display()}”直接到“{to}”")
    return deed.change(lead, stage=stage, **more)


@door.verb(
    "lead",
    label="初筛",
    asks=(
        *("first_verdict", "info_ok", "source_ok", "fits_industry", "fits_size"),
        *("category", "nurture", "reason", "reason_note"),
    ),
    writes=(
        *("stage", "first_verdict", "screened_at", "classified_at"),
        *("category", "nurture", "reason"),
    ),
    stages=("NEW", "NURTURE", "RETURNED"),
)
def screen_lead(deed: door.Deed, lead: Any, **found: Any) -> Any:
    """Judge whether a lead is worth following and classify it (PA-5.2.7, PJ-2.1.2.5, PS-2.1.2.3).

    An invalid one leaves the queue with its reason.
    """
    told = {name: value for name, value in found.items() if value not in (None, "")}
    if not told.get("first_verdict", lead.first_verdict):
        raise door.Refused([door.Unmet("请选初评结论：有效或无效", "first_verdict", record="lead")])
    is_classified = bool(
        told.get("category", lead.category_id) and told.get("nurture", lead.nurture_id)
    )
    told["screened_at"] = lead.screened_at or deed.at
    told["classified_at"] = lead.classified_at or (deed.at if is_classified else None)
    if told.get("first_verdict") == "INVALID":
        told["stage"] = "INVALID"
    return deed.change(lead, told)


@door.verb(
    "lead",
    label="转市场合格",
    writes=("stage", "mql_at", "pool", "pooled_at", "pool_reason"),
    stages=("NEW", "NURTURE"),
)
def mark_mql(deed: door.Deed, lead: Any) -> Any:
    """Note that the lead is warm enough for sales (PS-2.1.2.5): the clock of handing over runs.

    Where nobody follows it, it lies in the pool of leads that takes it.
    """
    ripe = _advance(deed, lead, "MQL", mql_at=lead.mql_at or deed.at)
    return pooling.lay(deed, ripe, reason="达到市场合格") if holding.held(ripe) is None else ripe


@door.verb(
    "lead",
    label="派给销售",
    asks=("person",),
    writes=("stage", "assigned_at", "pooled_at"),
    stages=("NEW", "MQL", "ASSIGNED", "SQL"),
)
def assign_lead(deed: door.Deed, lead: Any, *, person: Person) -> Any:
    """Give a lead to a rep, who now owes the first contact (PA-6.2.1, PA-6.3)."""
    if not _sells(person):
        raise door.Denied(f"线索要派给销售岗位的人，{person.name}不是（PA-6.3）")
    given_to = pooling.assign(deed, lead, person, deed.reason or "派给销售")
    return given(deed, given_to)


def given(deed: door.Deed, lead: Any) -> Any:
    """Note that a lead was given to a rep; by the articles that is where stage two begins."""
    stage = "ASSIGNED" if lead.stage in ("NEW", "MQL") else lead.stage
    changed = deed.change(lead, stage=stage, assigned_at=deed.at)
    if changed.pipeline_id == "pipeline:articles" and changed.stage_two_at is None:
        return door.act("enter_stage_two", changed, by=deed.by, channel=deed.channel)
    return changed


def _sells(person: Person) -> bool:
    rows = facts.annotate(Person.objects.everything("派线索前看岗位"), ["is_sales"])
    return bool(rows.filter(pk=person.pk, fact_is_sales=True).exists())


@door.verb("lead", label="进入阶段二", writes=("stage_two_at",), stages=OPEN)
def enter_stage_two(deed: door.Deed, lead: Any) -> Any:
    """Leave the first stage of the process chosen for the lead (PA-5.1, PJ-2.1.1)."""
    return deed.change(lead, stage_two_at=lead.stage_two_at or deed.at)


@door.verb("lead", label="BANT 评估", asks=BANT, stages=("ASSIGNED", "SQL"))
def assess_lead(deed: door.Deed, lead: Any, **found: Any) -> Any:
    """Note what is known of budget, authority, need and time (PA-6.1, PA-6.2.3)."""
    return deed.change(lead, {name: value for name, value in found.items() if value})


@door.verb("lead", label="转销售合格", writes=("stage", "sql_at"), stages=("ASSIGNED",))
def qualify_lead(deed: door.Deed, lead: Any) -> Any:
    """Accept the lead for sales, with its need, contact, score and history (PS-2.1.4)."""
    return _advance(deed, lead, "SQL", sql_at=lead.sql_at or deed.at)


@door.verb(
    "lead",
    label="转培育",
    asks=("nurture", "reason", "reason_note"),
    writes=("stage", "nurture", "reason", "classified_at"),
    stages=("NEW", "MQL", "ASSIGNED", "RETURNED"),
)
def nurture_lead(deed: door.Deed, lead: Any, **why: Any) -> Any:
    """Put a lead that is not ripe into the nurturing pool (PS-2.1.2.4)."""
    return _end(deed, lead, "NURTURE", **why)


@door.verb(
    "lead",
    label="处置",
    asks=("outcome", "reason", "reason_note"),
    writes=("stage", "reason"),
    stages=("NEW", "NURTURE", "MQL", "ASSIGNED", "SQL", "RETURNED"),
    like={"outcome": ENDS},
)
def dispose_lead(deed: door.Deed, lead: Any, *, outcome: str, **why: Any) -> Any:
    """Nurture, return to marketing, archive or drop a lead, with the reason (PA-6.2.5)."""
    return _end(deed, lead, outcome, **why)


def _end(deed: door.Deed, lead: Any, stage: str, **why: Any) -> Any:
    """Move a lead off the path to a sale; sales lets go of it, the reason stays."""
    told = {name: value for name, value in why.items() if value}
    if stage not in ENDS:
        raise door.Denied(f"处置只能是{'、'.join(ENDS.values())}")
    if not (told.get("reason") or lead.reason_id):
        raise door.Refused([door.Unmet("请选处置原因（PA-6.2.5）", "reason", "PA-6.2.5", "lead")])
    if "nurture" in told and lead.category_id:
        told["classified_at"] = lead.classified_at or deed.at
    changed = _advance(deed, lead, stage, **told)
    holding.let_go(changed, at=deed.at, reason=ENDS[stage])
    return changed


@door.verb(
    "lead",
    label="恢复跟进",
    writes=("stage", "first_verdict", "screened_at"),
    stages=("ARCHIVED", "INVALID"),
)
def revive_lead(deed: door.Deed, lead: Any) -> Any:
    """Take a lead up again that was archived or dropped; it is screened anew (PA-5.2.7)."""
    return _advance(deed, lead, "NEW", first_verdict=None, screened_at=None)


@door.verb(
    "lead",
    label="转为意向客户",
    asks=("customer", *BANT, *conversion.ASKS),
    writes=("stage", "converted_at", "customer"),
    stages=("ASSIGNED", "SQL"),
    like=conversion.LIKE,
)
def to_prospect(deed: door.Deed, lead: Any, *, customer: Any = None, **said: Any) -> Any:
    """Make of a qualified lead a customer with an interest, without making it twice (PA-6.2.5)."""
    bant = {name: said.pop(name) for name in BANT if said.get(name)}
    found = conversion.customer_of(deed, deed.change(lead, bant), customer, said)
    return _advance(
        deed, lead, "PROSPECT", customer=found, converted_at=lead.converted_at or deed.at
    )


@door.verb(
    "lead",
    label="转为商机",
    asks=("customer", *conversion.OPENS, *conversion.ASKS),
    writes=("stage", "converted_at", "customer"),
    stages=("SQL", "PROSPECT"),
    like={**conversion.LIKE, **conversion.OPENS},
)
def to_opportunity(deed: door.Deed, lead: Any, *, customer: Any = None, **said: Any) -> Any:
    """Open what the lead promises: customer and opportunity in one step (PS-2.1.1)."""
    if lead.pipeline_id == "pipeline:journey" and lead.stage_two_at is None:
        lead = door.act("enter_stage_two", lead, by=deed.by, channel=deed.channel)
    told = {name: said.pop(name) for name in conversion.OPENS if name in said}
    found = lead.customer or conversion.customer_of(deed, lead, customer, said)
    at = lead.converted_at or deed.at
    changed = _advance(deed, lead, "OPPORTUNITY", customer=found, converted_at=at)
    conversion.go_on(deed, changed, found, told)
    return changed


STEPS = {
    "NEW": "revive_lead",
    "MQL": "mark_mql",
    "SQL": "qualify_lead",
    "PROSPECT": "to_prospect",
    "OPPORTUNITY": "to_opportunity",
}


@door.verb("lead", label="移动线索", asks=("stage", "reason", "reason_note"), writes=("stage",))
def move_lead(deed: door.Deed, lead: Any, *, stage: str, **why: Any) -> Any:
    """Move a lead on the board: by the verb that leads to the stage, with all that it demands."""
    if stage == "ASSIGNED":
        raise door.Denied("派给销售要选人，请用“派给销售”")
    if stage in ENDS:
        step, asked = "dispose_lead", {"outcome": stage, **why}
    else:
        step, asked = STEPS[stage], {}
    if stage not in type(lead).moves.get(lead.stage, ()):
        raise door.Denied(f"线索不能从“{lead.get_stage_display()}”直接到那一步")
    if stage in ENDS and not (why.get("reason") or lead.reason_id):
        raise door.Denied("请选处置原因")
    return door.act(step, lead, by=deed.by, payload=asked, channel=deed.channel)
