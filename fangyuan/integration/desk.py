"""The desks of channels, deliveries and preferences; each is entered on a page of its own."""

from __future__ import annotations

from typing import Any

from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.integration.models import Attempt, Channel, Dispatch, Preference

OWN_PAGE: dict[str, Any] = {"is_new": False, "is_edited": False}

register(
    Desk(
        model=Channel,
        columns=[Title("name"), *"kind is_on team topics address".split()],
        filters="kind is_on team",
        sorts=["name"],
        default_sort="name",
        form=[
            Section("渠道", "name kind is_on team topics is_full"),
            Section("地址", "address port security login sender"),
        ],
        page=[Facts(), Timeline()],
        address=lambda channel: f"/channels/{channel.pk}",
        icon="send",
        **OWN_PAGE,
    )
)
register(
    Desk(
        model=Dispatch,
        columns="message person channel state queued_at sent_at delivered_at opened_at attempts",
        filters="state channel person mode queued_at sent_at delivered_at opened_at",
        sorts=["queued_at"],
        default_sort="-queued_at",
        form=[
            Section("投递", "message person channel mode state"),
            Section("经过", "queued_at next_at claimed_at sent_at delivered_at opened_at"),
            Section("答复", "attempts answer gathered_in"),
        ],
        badges=["state"],
        head="person channel queued_at",
        page=[
            Related("", "每次尝试", record="attempt", by="dispatch", show="at outcome answer"),
            Facts(),
        ],
        views=[
            View("没送到", {"state": "FAILED"}, "-queued_at"),
            View("待发", {"state": "QUEUED"}, "-queued_at"),
        ],
        icon="send",
    )
)
register(Desk(model=Attempt, page=[Facts()], icon="send"))
register(
    Desk(
        model=Preference,
        columns="person quiet_from quiet_until rests locked urgent",
        form=[
            Section("免打扰", "person quiet_from quiet_until rests"),
            Section("公司规定", "locked urgent"),
        ],
        page=[Facts(), Timeline()],
        icon="bell",
        **OWN_PAGE,
    )
)
