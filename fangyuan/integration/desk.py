"""The desks of channels, deliveries and preferences; each is entered on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, extend, register
from fangyuan.desk.panels import Facts, Panel, Scene
from fangyuan.desk.timeline import Timeline
from fangyuan.engine.models import Obligation
from fangyuan.integration import evidence
from fangyuan.integration.models import Attempt, Channel, Dispatch, Preference
from fangyuan.org.models import Message

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
        icon="mail",
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
        page=[Facts()],
        views=[
            View("没送到", {"state": "FAILED"}, "-queued_at"),
            View("待发", {"state": "QUEUED"}, "-queued_at"),
        ],
        icon="mail",
    )
)
register(Desk(model=Attempt, page=[Facts()], icon="mail"))
register(
    Desk(
        model=Preference,
        columns="person quiet_from quiet_until rests locked urgent",
        form=[
            Section("免打扰", "quiet_from quiet_until rests"),
            Section("公司规定", "locked urgent"),
        ],
        page=[Facts(), Timeline()],
        icon="bell",
        **OWN_PAGE,
    )
)


@dataclass
class Reached(Panel):
    """Who was told of a duty, and how far that came."""

    name: str = "reached"
    title: str = "送达"
    is_side: bool = True
    is_lazy: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        told = evidence.of_obligation(scene.record.pk, scene.actor)
        return {"told": told, "proof_url": f"/obligation/{scene.record.pk}/paper"}


@dataclass
class Ways(Panel):
    """By which channels a message went, with every try and the answer to it."""

    name: str = "ways"
    title: str = "经过"

    def context(self, scene: Scene) -> dict[str, Any]:
        record = scene.record
        message = record.message if isinstance(record, Dispatch) else record
        carried = [way for one in evidence.of([message]) for way in one.carried]
        if isinstance(record, Dispatch):
            carried = [way for way in carried if way.dispatch.pk == record.pk]
        return {"carried": carried, "proof_url": f"/message/{message.pk}/paper"}


extend(Obligation, page=[Reached()])
extend(Message, page=[Ways()])
extend(Dispatch, page=[Ways()])
