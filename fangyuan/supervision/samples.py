"""Random samples of an inspection: the seed is kept, so that anybody can draw the same again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import CharField, Value
from django.db.models.functions import MD5, Cast, Concat

from fangyuan import door
from fangyuan.core import records
from fangyuan.desk import duties
from fangyuan.desk.panels import Panel, Scene
from fangyuan.supervision.models import Finding

SIZE: Final = 20
KINDS: Final = {"TAG": "tag_value"}  # what an inspection of a kind looks at; others at customers


def drawn(kind: str, seed: int, size: int, actor: Any) -> list[int]:
    """The numbers of the records that a seed picks among those the actor may see."""
    rows = records.record_types()[kind].objects.seen_by(actor).present()
    mixed = MD5(Concat(Value(f"{seed}:"), Cast("pk", CharField())))
    return list(rows.order_by(mixed, "pk").values_list("pk", flat=True)[:size])


@door.verb("inspection", label="随机抽样", writes=("sample_rule",))
def draw_sample(deed: door.Deed, inspection: Any) -> Any:
    """Draw a random sample once; its list and seed stay with the inspection (TAG-7.1.2b)."""
    if inspection.sample_rule:
        raise door.Denied("这次检查已抽过样，样本清单和随机种子都在案")
    if inspection.finished_at is not None:
        raise door.Denied("检查已完成，不能再抽样")
    kind, seed = KINDS.get(inspection.kind, "customer"), secrets.randbelow(10**9)
    numbers = drawn(kind, seed, SIZE, deed.by)
    if not numbers:
        raise door.Denied("你的范围内没有可抽的记录")
    rule = {"record": kind, "size": SIZE, "seed": seed, "drawn": numbers}
    return deed.change(inspection, sample_rule=rule)


@dataclass
class Sample(Panel):
    """The records drawn, what was found about each, and where to enter it."""

    name: str = "sample"
    title: str = "样本"

    def context(self, scene: Scene) -> dict[str, Any]:
        rule = scene.record.sample_rule
        if not rule:
            return {"rule": None}
        kind, numbers = rule["record"], rule["drawn"]
        found = Finding.objects.everything("所属检查在范围内").present()
        found = found.filter(inspection=scene.record, subject_type=kind, subject_id__in=numbers)
        verdicts = {one.subject_id: one for one in found}
        rows = [_Pointer(kind, number) for number in numbers]
        names = duties.subject_names(rows, scene.actor)
        lines = [
            {
                "name": names.get((kind, row.subject_id)) or f"#{row.subject_id}",
                "url": f"/{kind}/{row.subject_id}",
                "finding": verdicts.get(row.subject_id),
                "new_url": f"/finding/new?inspection={scene.record.pk}"
                f"&subject={kind}:{row.subject_id}",
            }
            for row in rows
        ]
        return {"rule": rule, "lines": lines, "done": len(verdicts)}


@dataclass(frozen=True)
class _Pointer:
    subject_type: str
    subject_id: int
