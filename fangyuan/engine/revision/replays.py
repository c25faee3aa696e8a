"""Replays as jobs: asked for on a page, run by the worker with progress, kept with their draft.

A draft that runs beside the rule in force is replayed from its start to now, again and again: it
has figures of its own and never a duty, a reminder or a line in anybody's list.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import Error, connection, transaction
from django.utils import timezone

from fangyuan.core import events, locks, spans
from fangyuan.engine import kinds, models
from fangyuan.engine.revision import drafts, replay

log = logging.getLogger("fangyuan.replays")
Stage = models.Replay.Stage
SHADOW_EVERY: Final = timedelta(hours=1)


def ask(
    policy: models.Policy, first: date, last: date, *, team: Any = None, by: Any = None
) -> models.Replay:
    """Have a draft tried on the days from `first` to `last`; one that waits already is returned."""
    wanted = {
        "policy": policy, "starts_on": first, "ends_on": last, "team": team,
        "seal": drafts.seal(policy), "is_shadow": False,
    }  # fmt: skip
    waiting = models.Replay.objects.everything("试算").filter(
        **wanted, stage__in=[Stage.WAITING, Stage.RUNNING]
    )
    found: models.Replay = waiting.first() or models.Replay(**wanted, asked_by=by)
    if found.pk is None:
        found.save()
    return found


def run_waiting() -> int:
    """Run what waits, oldest first, and what is due of the shadows; returns how many were run."""
    _recover()
    _renew_shadows(timezone.now())
    waiting = models.Replay.objects.everything("排队的试算").filter(stage=Stage.WAITING)
    return sum(run(one) for one in waiting.select_related("policy").order_by("id"))


def run(one: models.Replay) -> bool:
    """Run one replay; false where somebody else does. What fails is said in the replay."""
    with locks.held(connection, one) as is_free:
        if not is_free:
            return False
        _keep(one, stage=Stage.RUNNING, percent=0)
        asked = replay.Asked(one.starts_on, one.ends_on, timezone.now(), one.team_id)
        try:
            done = replay.replay(
                drafts.trials(one.policy),
                asked,
                progress=lambda percent: _keep(one, percent=percent),
            )
        except (Error, kinds.BadRule, ValueError, LookupError) as wrong:
            log.exception("试算 %s 没有算成", one.pk)
            _keep(one, stage=Stage.FAILED, message=str(wrong).splitlines()[0])
            return True
        _keep(one, stage=Stage.DONE, percent=100, result=replay.told(done))
        if not one.is_shadow:
            _mark(one)
        return True


def _keep(one: models.Replay, **values: Any) -> None:
    models.Replay.objects.everything("试算进度").filter(pk=one.pk).update(**values)
    for name, value in values.items():
        setattr(one, name, value)


def _mark(one: models.Replay) -> None:
    """A draft that was tried as it reads now says so."""
    policy = models.Policy._base_manager.get(pk=one.policy_id)
    if policy.stage == "DRAFT" and drafts.seal(policy) == one.seal:
        with transaction.atomic(), connection.cursor() as cursor:
            events.announce(cursor, actor=0, action="replay", reason="试算完成", channel="JOB")
            models.Policy._base_manager.filter(pk=policy.pk).update(stage="REPLAYED")


def _recover() -> None:
    """What was running when its worker died waits again."""
    for one in models.Replay.objects.everything("中断的试算").filter(stage=Stage.RUNNING):
        with locks.held(connection, one) as is_free:
            if is_free:
                _keep(one, stage=Stage.WAITING, percent=0)


# --- beside the rule in force


def start_shadow(policy: models.Policy, *, team: Any = None, at: datetime) -> None:
    """Run a draft beside the rule in force from an instant on, for a department or for all."""
    models.Policy.objects.everything("试运行").filter(pk=policy.pk).update(
        shadow_since=at, shadow_team=team
    )
    models.Replay.objects.everything("试运行").filter(policy=policy, is_shadow=True).delete()


def stop_shadow(policy: models.Policy) -> None:
    """Have it run no longer; its last figures go with it."""
    models.Policy.objects.everything("试运行").filter(pk=policy.pk).update(
        shadow_since=None, shadow_team=None
    )
    models.Replay.objects.everything("试运行").filter(policy=policy, is_shadow=True).delete()


def _renew_shadows(now: datetime) -> None:
    running = (
        models.Policy.objects.everything("试运行").present().filter(shadow_since__isnull=False)
    )
    for policy in running.filter(stage__in=["DRAFT", "REPLAYED", "WAITING"]):
        found = models.Replay.objects.everything("试运行").filter(policy=policy, is_shadow=True)
        last, seal = found.first(), drafts.seal(policy)
        if last and last.seal == seal and last.asked_at > now - SHADOW_EVERY:
            continue
        values = {
            "starts_on": spans.day_of(policy.shadow_since), "ends_on": spans.day_of(now),
            "team": policy.shadow_team, "seal": seal, "stage": Stage.WAITING, "asked_at": now,
        }  # fmt: skip
        if last is None:
            models.Replay(policy=policy, is_shadow=True, **values).save()
        else:
            _keep(last, **values)
