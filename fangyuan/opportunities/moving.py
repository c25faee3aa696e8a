"""The way of an opportunity through the stages: where it begins, the next one, its history.

The history is kept by what was written, whoever wrote it: form, board, API or import.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from fangyuan import door
from fangyuan.opportunities.models import Stage

# An opportunity without a stage begins where its pipeline lets it begin (conflict C-17).
_BEGIN: Final = """
UPDATE opportunities_opportunity o SET stage_id = s.id, win_rate = coalesce(o.win_rate, s.win_rate)
  FROM opportunities_stage s
 WHERE o.id = ANY (%(numbers)s) AND o.stage_id IS NULL
   AND s.pipeline_id = o.pipeline_id AND s.is_creating AND s.removed_at IS NULL
"""
_LEAVE: Final = """
UPDATE opportunities_stageentry e
   SET left_at = greatest(%(at)s, e.entered_at + interval '1 microsecond'), left_to_id = o.stage_id
  FROM opportunities_opportunity o
 WHERE e.subject_type = 'opportunity' AND e.subject_id = o.id AND o.id = ANY (%(numbers)s)
   AND e.left_at IS NULL AND e.removed_at IS NULL AND e.stage_id <> o.stage_id
"""
_ENTER: Final = """
INSERT INTO opportunities_stageentry (subject_type, subject_id, stage_id, entered_at, by_id)
SELECT 'opportunity', o.id, o.stage_id,
       coalesce((SELECT max(left_at) FROM opportunities_stageentry e
                  WHERE e.subject_type = 'opportunity' AND e.subject_id = o.id), o.recorded_at),
       nullif(%(by)s, 0)
  FROM opportunities_opportunity o
 WHERE o.id = ANY (%(numbers)s) AND o.stage_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM opportunities_stageentry e
                    WHERE e.subject_type = 'opportunity' AND e.subject_id = o.id
                      AND e.left_at IS NULL AND e.removed_at IS NULL)
"""


@door.follows("opportunity")
def keep(deed: door.Deed, numbers: set[int]) -> None:
    """Give these opportunities their first stage, and write into their history what they left."""
    given = {"numbers": sorted(numbers), "at": deed.at, "by": deed.actor_id}
    with connection.cursor() as cursor:
        for statement in (_BEGIN, _LEAVE, _ENTER):
            cursor.execute(statement, given)


def stages(pipeline: str) -> list[Stage]:
    """The stages of a pipeline, in their order."""
    found = Stage.objects.everything("流程人人可读").present().filter(pipeline_id=pipeline)
    return list(found.order_by("seq"))


def after(stage: Any, step: int = 1) -> Stage | None:
    """The stage so many steps on (or back, if negative) in the same pipeline."""
    if stage is None:
        return None
    found: Stage | None = (
        Stage.objects.everything("流程人人可读")
        .present()
        .filter(pipeline_id=stage.pipeline_id, seq=stage.seq + step)
        .first()
    )
    return found
