"""Verbs on tasks: give, take on, answer, finish, rate; and who hears of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fangyuan import door
from fangyuan.activities.models import Task
from fangyuan.org import posting
from fangyuan.org.models import Message


def tell(deed: door.Deed, task: Any, person_id: int | None, step: str, said: str) -> None:
    """Tell one person what became of a task, unless they did it themselves; each step once."""
    if person_id is None or person_id == deed.actor_id or deed.is_history:
        return
    note = Message(
        person_id=person_id,
        kind="NOTICE",
        topic="WORK",
        title=f"{said}：{task.title}",
        text=task.result if step in ("done", "answered") else "",
        sent_at=deed.at,
        step_key=f"task:{task.pk}:{step}:{person_id}",
    )
    note.subject = task
    posting.post([note])


@door.follows("task")
def receive(deed: door.Deed, numbers: set[int]) -> None:
    """A task asked of a department is its leader's until given on; whoever has it hears of it."""
    if deed.is_history:
        return
    rows = Task._base_manager.filter(pk__in=numbers, removed_at=None, done_at=None)
    for task in rows.select_related("team"):
        if task.person_id is None and task.team is not None and task.team.leader_id:
            task.person_id = task.team.leader_id
            with deed.entrusted():
                deed.change(task, person_id=task.person_id)
        if task.kind != "RESOLUTION" or task.assigned_at:
            tell(deed, task, task.person_id, "given", "有一项任务给你")


def _mine(deed: door.Deed, task: Any, *, what: str) -> None:
    """Only who has the task, or leads the department it was asked of, or the system."""
    allowed = {task.person_id, task.team.leader_id if task.team else None}
    if deed.by is not None and deed.by.pk not in allowed and not deed.is_trusted:
        raise door.Denied(f"只有责任人或承接部门的负责人能{what}")


@door.verb("task", label="派定", asks=("person", "due_at"), writes=("assigned_at",))
def assign_task(
    deed: door.Deed, task: Any, *, person: Any = None, due_at: datetime | None = None
) -> Any:
    """Give a task to somebody; from then on it is theirs to keep (KA-7.2.3c)."""
    if task.done_at is not None:
        raise door.Denied("任务已办完，不用再派")
    chosen = person or task.person
    if chosen is None:
        raise door.Refused([door.Unmet("请选责任人", "person", record="task")])
    return deed.change(
        task,
        person=chosen,
        due_at=due_at or task.due_at,
        assigned_at=task.assigned_at or deed.at,
    )


@door.verb("task", label="受理", asks=("person",), writes=("accepted_at",))
def accept_task(deed: door.Deed, task: Any, *, person: Any = None) -> Any:
    """Take on what was asked of oneself or of one's department (DAY-1.1.3, PA-3.4)."""
    if task.accepted_at is not None:
        raise door.Denied("已经受理过了")
    _mine(deed, task, what="受理")
    taken = deed.change(task, accepted_at=deed.at, person=person or task.person or deed.by)
    tell(deed, taken, taken.asker_id, "accepted", "已受理")
    return taken


@door.verb("task", label="答复", asks=("result",), writes=("answered_at",))
def answer_task(deed: door.Deed, task: Any, *, result: str = "") -> Any:
    """Answer a question or a need that somebody told (KA-6.1.2, PS-4.1)."""
    if not (result or task.result).strip():
        raise door.Refused([door.Unmet("请写答复", "result", record="task")])
    answered = deed.change(
        task, answered_at=task.answered_at or deed.at, result=result or task.result
    )
    tell(deed, answered, answered.asker_id, "answered", "已答复")
    return answered


@door.verb("task", label="办完", asks=("result",))
def finish_task(deed: door.Deed, task: Any, *, result: str = "") -> Any:
    """Close a task with its result; who asked is told."""
    finished = deed.change(task, done_at=deed.at, result=result or task.result)
    tell(deed, finished, finished.asker_id, "done", "已办完")
    return finished


@door.verb("task", label="评价", asks=("rating",), writes=("rating", "rated_by"))
def rate_task(deed: door.Deed, task: Any, *, rating: int | None = None) -> Any:
    """Say how well one was helped, one to five; only who asked may (KA-1.3.3)."""
    if deed.by is not None and deed.by.pk != task.asker_id and not deed.is_trusted:
        raise door.Denied("由提出人来评价")
    if task.done_at is None:
        raise door.Denied("办完以后再评价")
    if rating is None:
        raise door.Refused([door.Unmet("请填 1 到 5 分", "rating", record="task")])
    return deed.change(task, rating=rating, rated_by=deed.by)
