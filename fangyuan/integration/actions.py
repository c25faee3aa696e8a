"""Verbs on channels."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.integration import sealing, setup


@door.verb("channel", label="启用或停用", asks=("is_on",), writes=("is_on",))
def switch_channel(deed: door.Deed, channel: Any, *, is_on: bool = False) -> Any:
    """Let a channel send, or have it wait; only one that is complete may be switched on."""
    if is_on and (said := setup.lacking(channel, sealing.names(channel))):
        raise door.Refused([door.Unmet(said, "is_on", record="channel")])
    return deed.change(channel, is_on=is_on)
