"""Verbs on campaigns: begin, end, call off."""

from __future__ import annotations

from typing import Any

from fangyuan import door


@door.verb("campaign", label="开始活动", writes=("stage",))
def start_campaign(deed: door.Deed, campaign: Any) -> Any:
    """Begin a campaign that was planned."""
    return deed.move(campaign, "RUNNING", starts_at=campaign.starts_at or deed.at)


@door.verb("campaign", label="结束活动", writes=("stage", "ended_at"))
def end_campaign(deed: door.Deed, campaign: Any) -> Any:
    """End a campaign that runs."""
    return deed.move(campaign, "ENDED", ended_at=deed.at)


@door.verb("campaign", label="取消活动", writes=("stage",))
def cancel_campaign(deed: door.Deed, campaign: Any) -> Any:
    """Call off a campaign before it begins."""
    return deed.move(campaign, "CANCELLED")
