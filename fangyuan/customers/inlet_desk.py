"""The desk of inlets: where leads may arrive from, and with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.customers.models import Arrival, Inlet
from fangyuan.desk.declare import Desk, Section, register
from fangyuan.desk.panels import Facts, Panel, Scene
from fangyuan.desk.timeline import Timeline

LATEST = 8


@dataclass
class Wiring(Panel):
    """Address and key, and what arrived lately."""

    name: str = "wiring"
    title: str = "接入"

    def context(self, scene: Scene) -> dict[str, Any]:
        came = Arrival.objects.everything("入口的到达").filter(inlet=scene.record)
        return {
            "path": f"/hooks/leads/{scene.record.code}",
            "secret": scene.record.secret if scene.may_change else "",
            "count": came.count(),
            "latest": list(came.select_related("lead").order_by("-at")[:LATEST]),
        }


register(
    Desk(
        model=Inlet,
        columns="name code source campaign per_minute is_active",
        filters="source campaign is_active",
        search=["name", "code"],
        form=[Section("线索入口", "name code source platform campaign per_minute is_active")],
        head="code source campaign per_minute",
        badges=["is_active"],
        actions=["renew_secret"],
        page=[Wiring(), Facts(), Timeline()],
        icon="in",
    )
)
