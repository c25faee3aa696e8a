"""Panels of the site on records of the rooms below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.core.models import Operation
from fangyuan.desk.declare import extend
from fangyuan.desk.panels import Panel, Scene


@dataclass
class Told(Panel):
    """What a job of the system had to say, line by line."""

    name: str = "told"
    title: str = "结果"

    def context(self, scene: Scene) -> dict[str, Any]:
        return {"lines": scene.record.note.splitlines()}


extend(Operation, page=[Told()])
