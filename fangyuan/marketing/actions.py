"""Verbs on campaigns, from the plan to what was learnt; and on intelligence: sort it, share it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.core import facts
from fangyuan.forms.models import Form, Response
from fangyuan.org import posting
from fangyuan.org.models import Message, Person


@door.verb("campaign", label="开始筹备", writes=("stage",), stages=("PLANNED",))
def prepare_campaign(deed: door.Deed, campaign: Any) -> Any:
    """Begin to prepare a campaign that was planned (RES-4.2.2a)."""
    return deed.move(campaign, "PREPARING")


@door.verb(
    "campaign",
    label="开始活动",
    writes=("stage", "starts_at", "began_at"),
    stages=("PLANNED", "PREPARING"),
)
def start_campaign(deed: door.Deed, campaign: Any) -> Any:
    """Begin a campaign that was planned."""
    starts = campaign.starts_at or deed.at
    return deed.move(campaign, "RUNNING", starts_at=starts, began_at=deed.at)


@door.verb(
    "campaign",
    label="改期",
    asks=("starts_at", "ends_at", "reschedule_note"),
    writes=("starts_at", "ends_at", "reschedule_note"),
    stages=("PLANNED", "PREPARING", "RUNNING"),
)
def reschedule_campaign(
    deed: door.Deed,
    campaign: Any,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reschedule_note: str = "",
) -> Any:
    """Move a campaign to other days, and say why; the log keeps the earlier ones (RES-4.2.2a)."""
    if not reschedule_note.strip():
        raise door.Refused([door.Unmet("写明改期的原因", "reschedule_note", record="campaign")])
    told = {"starts_at": starts_at, "ends_at": ends_at, "reschedule_note": reschedule_note}
    return deed.change(campaign, told)


@door.verb(
    "campaign",
    label="检查点签到",
    asks=("checks",),
    writes=("checks",),
    stages=("RUNNING", "ENDED"),
)
def check_campaign(deed: door.Deed, campaign: Any, *, checks: list[str]) -> Any:
    """Note which of the three points of the day were seen to (RES-4.2.2b)."""
    return deed.change(campaign, checks=checks)


@door.verb("campaign", label="结束活动", writes=("stage", "ended_at"), stages=("RUNNING",))
def end_campaign(deed: door.Deed, campaign: Any) -> Any:
    """End a campaign that runs."""
    return deed.move(campaign, "ENDED", ended_at=deed.at)


@door.verb(
    "campaign",
    label="效果评估",
    asks=("lessons", "mistakes", "advice"),
    writes=("stage", "evaluated_at"),
    stages=("ENDED",),
    like={
        "lessons": "response.lessons",
        "mistakes": "response.mistakes",
        "advice": "response.advice",
    },
)
def evaluate_campaign(deed: door.Deed, campaign: Any, **told: str) -> Any:
    """Say how a campaign went and what the next one should learn from it (RES-4.2.3)."""
    form = Form.objects.everything("效果评估的表单").present().filter(kind="EVALUATE")
    form = form.filter(retired_at=None).order_by("-version").first()
    if form is None:
        raise door.Denied("还没有“效果评估”表单，请销售运营在“表单”里建一份")
    with deed.entrusted():
        deed.create(
            Response,
            {
                "form": form,
                "subject": campaign,
                "person": deed.by,
                "submitted_at": deed.at,
                **{name: said.strip() for name, said in told.items()},
            },
        )
    return deed.move(campaign, "EVALUATED", evaluated_at=deed.at)


@door.verb(
    "campaign",
    label="调整投放",
    asks=("strategy_note",),
    writes=("strategy_note", "strategy_changed_at"),
    stages=("RUNNING",),
)
def adjust_strategy(deed: door.Deed, campaign: Any, *, strategy_note: str = "") -> Any:
    """Change how an advertisement is run, and on what grounds (RES-4.3.3f)."""
    if not strategy_note.strip():
        said = "写明调整了什么、依据是什么"
        raise door.Refused([door.Unmet(said, "strategy_note", record="campaign")])
    return deed.change(campaign, strategy_note=strategy_note, strategy_changed_at=deed.at)


@door.verb("campaign", label="采纳教训", writes=("learned_from",))
def take_lesson(deed: door.Deed, campaign: Any, *, response: int) -> Any:
    """Take the lesson of an earlier evaluation into this campaign (RES-4.2.3f)."""
    taken = campaign.learned_from
    return deed.change(campaign, learned_from=[*{*taken, response}])


@door.verb("campaign", label="取消活动", writes=("stage",), stages=("PLANNED", "PREPARING"))
def cancel_campaign(deed: door.Deed, campaign: Any) -> Any:
    """Call off a campaign before it begins."""
    return deed.move(campaign, "CANCELLED")


@door.verb(
    "intel",
    label="分类整理",
    asks=("kind", "rival", "trust", "valid_until"),
    writes=("sorted_at",),
)
def sort_intel(deed: door.Deed, intel: Any, **told: Any) -> Any:
    """Look through a piece of intelligence and put it where it belongs (RES-4.1.2b)."""
    return deed.change(intel, {**told, "sorted_at": intel.sorted_at or deed.at})


@door.verb(
    "intel",
    label="共享",
    asks=("share_by",),
    writes=("shared_at", "share_by", "sorted_at"),
)
def share_intel(deed: door.Deed, intel: Any, *, share_by: list[str]) -> Any:
    """Share a piece of intelligence; as a message it reaches everybody who sells (RES-4.1.3a)."""
    if not share_by:
        raise door.Refused([door.Unmet("选至少一个共享渠道", "share_by", record="intel")])
    if "MESSAGE" in share_by:
        posting.post(_messages(intel, deed))
    told = {"shared_at": intel.shared_at or deed.at, "sorted_at": intel.sorted_at or deed.at}
    return deed.change(intel, share_by=share_by, **told)


def _messages(intel: Any, deed: door.Deed) -> list[Message]:
    sellers = facts.annotate(Person.objects.everything("共享给销售").present(), ["is_sales"])
    sellers = sellers.filter(fact_is_sales=True, account_state="ACTIVE")
    told = {"title": f"{intel.get_kind_display()}：{intel.title}", "text": intel.text}
    pointer = {"subject_type": "intel", "subject_id": intel.pk, "sent_at": deed.at}
    return [
        Message(
            person_id=number,
            kind=Message.Kind.NOTICE,
            topic=Message.Topic.INTEL,
            step_key=f"intel:{intel.pk}:{number}",
            **told,
            **pointer,
        )
        for number in sellers.values_list("pk", flat=True)
    ]
