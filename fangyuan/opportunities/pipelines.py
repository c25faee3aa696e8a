"""The shipped pipelines: their stages and items, planted once and then the company's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from fangyuan import door
from fangyuan.opportunities.models import Stage, StageItem

FILE: Final = Path(__file__).parent / "data" / "pipelines.yaml"
KINDS: Final = {"deliverables": "DELIVERABLE", "activities": "ACTIVITY", "confirms": "CONFIRM"}


def plant(deed: door.Deed) -> None:
    """Add the stages that are not there yet; what the company changed stays as it is."""
    known = {(s.pipeline_id, s.code) for s in Stage.objects.everything("安装")}
    for pipeline, stages in YAML(typ="safe").load(FILE).items():
        for seq, told in enumerate(stages, 1):
            key = f"pipeline:{pipeline}"
            if (key, told["code"]) not in known:
                _plant(deed, key, seq, told)


def _plant(deed: door.Deed, pipeline: str, seq: int, told: Mapping[str, Any]) -> None:
    values = {
        "pipeline_id": pipeline,
        "seq": seq,
        "code": told["code"],
        "name": told["name"],
        "goal": told["goal"],
        "tasks": told["tasks"],
        "standard": told["standard"],
        "roles": "\n".join(f"{who}：{'、'.join(does)}" for who, does in told["roles"].items()),
        "tools": "、".join(told.get("tools", ())),
        "customer_state": told.get("customer", ""),
        "stage_tag": told["tag"],
        "is_creating": told.get("creating", False),
        "is_closing": told.get("closing", False),
        "owner_record": told.get("on", "OPPORTUNITY"),
        "win_rate": told.get("rate"),
    }
    stage = deed.create(Stage, values)
    for kind, name, is_required in _items(told):
        item = {"stage": stage, "kind": kind, "name": name, "is_required": is_required}
        deed.create(StageItem, item)


def _items(told: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for group, kind in KINDS.items():
        for name in told.get(group, ()):
            yield kind, name.removeprefix("?"), not name.startswith("?")
