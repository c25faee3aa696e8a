"""Verbs on regulations: publish a revision, run a draft beside the rule in force, read and sign."""

from __future__ import annotations

from datetime import date
from typing import Any

from fangyuan import door
from fangyuan.engine import approval, jobs
from fangyuan.engine.revision import replays, revising

# A revision is agreed to by the management whether or not a clause in force says so.
approval.demand("policy.revise_policy", "company_management")
jobs.register("制度生效", revising.enact_due)
jobs.register("制度试算", replays.run_waiting)


@door.verb("policy", label="发布修订", writes=("stage",))
def revise_policy(deed: door.Deed, policy: Any) -> Any:
    """Bring an agreed draft into force from its day on (PS-4.2b); nobody agrees to their own."""
    if not deed.is_trusted:
        raise door.Denied("修订要由公司管理层批准，请先在团队里设好管理层的负责人")
    if policy.stage != "WAITING":
        raise door.Denied("只有送审的草稿能发布")
    return revising.publish(deed, policy)


def submit(policy: Any, *, on: date, in_flight: str, by: Any, channel: str = "PAGE") -> Any:
    """Send a tried draft for approval with its day of effect; raises Denied while it is unready."""
    if said := revising.hindrance(policy, on=on):
        raise door.Denied(said)
    with door.acting(by=by, action="revise_policy", channel=channel) as deed:
        sent = deed.change(policy, starts_on=on, in_flight=in_flight, stage="WAITING")
        return door.act("policy.revise_policy", sent, by=by, channel=channel)


@door.verb("policy", label="退回草稿", writes=("stage",))
def revise_policy_refused(deed: door.Deed, policy: Any, *, comment: str = "") -> Any:
    """Give a draft back that was not agreed to or was withdrawn."""
    return deed.change(policy, stage="DRAFT") if policy.stage == "WAITING" else policy


@door.verb("message", label="签收", writes=("confirmed_at",))
def sign_message(deed: door.Deed, message: Any) -> Any:
    """Confirm that one has read what a message asks to read (PJ-0.1); once, and only one's own."""
    if message.kind != "SIGN":
        raise door.Denied("只有要求签收的消息才能签收")
    if deed.by is not None and message.person_id != deed.by.pk:
        raise door.Denied("只能签收发给自己的")
    if message.confirmed_at is not None:
        return message
    return deed.change(message, confirmed_at=deed.at, seen_at=message.seen_at or deed.at)
