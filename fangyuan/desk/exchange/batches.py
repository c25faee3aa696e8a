"""Imports with a face: uploaded or run at the command line, looked at, run, taken back.

A batch is marked done in the same transaction as its rows. A run that dies leaves neither; its lock
goes with its connection, and the next look finds the batch without a runner and says so.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from fangyuan import door
from fangyuan.core import events, locks, tables
from fangyuan.desk.exchange import columns, load, mistakes, sources, workbook
from fangyuan.desk.exchange import undo as takeback
from fangyuan.desk.models import ImportBatch
from fangyuan.engine import jobs
from fangyuan.org.models import Person

SMALL = 200 * 2**10  # files up to this size are imported at once, larger ones by the worker
LIMITS = tables.Limits(seconds=600.0)
_FIRST = 5
_NAMED = 20
_COUNTS = ("total", "passed", "failed", "xid", "awaited")
_ENDINGS = (".xlsx", ".csv", ".jsonl", ".ndjson", ".tsv", ".txt")
Stage = ImportBatch.Stage


def receive(model: Any, upload: Any, by: Person) -> ImportBatch:
    """Keep an uploaded file for a look; raises Unreadable if it is no table at all."""
    name = Path(str(upload.name).replace("\\", "/")).name[-120:] or "表格"
    ending = Path(name).suffix.lower()
    kept = f"{secrets.token_hex(12)}{ending if ending in _ENDINGS else ''}"
    values = {"record": model.record_name(), "file_name": name, "person": by}
    with door.acting(by=by, action="upload", channel="IMPORT") as deed:
        batch: ImportBatch = deed.create(ImportBatch, {**values, "file": File(upload, name=kept)})
        try:
            with sources.opened(Path(batch.file.path), LIMITS, name):
                return batch
        except mistakes.Unreadable:
            batch.file.delete(save=False)
            raise


def look(batch: ImportBatch, by: Person) -> dict[str, Any]:
    """Header, likely columns and first rows of a file."""
    model = columns.type_of(batch.record)
    with sources.opened(Path(batch.file.path), LIMITS, batch.file_name) as source:
        first = []
        for row in source.rows:
            first.append(["" if cell is None else str(cell)[:40] for cell in row.cells])
            if len(first) == _FIRST:
                break
        guessed = columns.guess(source.header, model, by)
        return {"header": source.header, "guess": guessed, "rows": first, "notes": source.notes}


def start(batch: ImportBatch, *, by: Person, **how: Any) -> ImportBatch:
    """Have a batch imported: a small file now, a large one by the worker.

    `how` are the batch's own fields: mode, mapping, is_partial, is_history.
    """
    with door.acting(
        by=None, action="import", reason=f"{by.name} 开始导入", channel="IMPORT"
    ) as deed:
        held = ImportBatch._base_manager.select_for_update().get(pk=batch.pk)
        if held.stage != Stage.PREVIEW:
            raise door.Denied("这份文件已经开始导入，不用再点一次")
        held = deed.change(held, how, stage="WAITING")
    if held.file.size <= SMALL:
        run(held)
        held.refresh_from_db()
    return held


def run_waiting() -> int:
    """Import what waits, oldest first; returns how many batches were run. For the worker."""
    recover()
    waiting = ImportBatch.objects.everything("排队的导入").filter(
        stage=Stage.WAITING, removed_at=None
    )
    return sum(run(batch) for batch in waiting.order_by("id"))


def recover() -> int:
    """Close batches whose runner died; returns how many. Nothing of them was kept."""
    count = 0
    running = ImportBatch.objects.everything("中断的导入").filter(stage=Stage.RUNNING)
    for batch in running:
        with locks.held(connection, batch) as is_free:
            if is_free:
                _change(
                    batch, stage="REFUSED", message="导入中途断了，没有写入任何一行。请重新上传"
                )
                count += 1
    return count


def _change(batch: ImportBatch, **values: Any) -> None:
    with door.acting(by=None, action="import", reason=batch.file_name, channel="IMPORT") as deed:
        deed.change(batch, values)


def run(batch: ImportBatch) -> bool:
    """Import one waiting batch; False if somebody else runs it already."""
    teller = connection.copy()
    try:
        with locks.held(teller, batch) as is_free:
            batch.refresh_from_db()
            if not is_free or batch.stage != Stage.WAITING:
                return False
            _change(batch, stage="RUNNING", started_at=timezone.now())
            outcome = load.run(_order(batch), _ticker(teller, batch))
            if not outcome.is_kept:
                _refuse(batch, outcome)
            return True
    finally:
        teller.close()


def run_file(order: load.Order) -> load.Outcome:
    """Import a file at hand; what it changes is listed as a batch and can be taken back."""

    def seal(outcome: load.Outcome) -> None:
        if outcome.created or outcome.changed:
            values = {"record": order.model.record_name(), "file_name": order.file_name}
            values |= {"mode": order.mode, "person": order.by, "stage": "RUNNING"}
            values |= {"is_history": order.is_history, "is_partial": order.is_partial}
            with door.acting(by=None, action="import", reason=order.file_name) as deed:
                batch = deed.create(ImportBatch, values, started_at=deed.at)
            _settle(batch, outcome, _kept(outcome), order.path)

    return load.run(replace(order, seal=seal))


def _kept(outcome: load.Outcome) -> dict[str, Any]:
    told = {"xid": outcome.xid, "awaited": outcome.awaited}
    return {"stage": "DONE", "message": _said(outcome), **told}


def _order(batch: ImportBatch) -> load.Order:
    def seal(outcome: load.Outcome) -> None:
        _settle(batch, outcome, _kept(outcome), Path(batch.file.path))

    return load.Order(
        model=columns.type_of(batch.record),
        path=Path(batch.file.path),
        by=batch.person,
        name=batch.file_name,
        is_history=batch.is_history,
        is_partial=batch.is_partial,
        mode=batch.mode,
        mapping=batch.mapping,
        limits=LIMITS,
        seal=seal,
    )


def _said(outcome: load.Outcome) -> str:
    parts = [
        (outcome.created, "新建"), (outcome.changed, "修改"), (outcome.unchanged, "不变"),
        (outcome.skipped, "跳过"), (outcome.failed, "有误"),
    ]  # fmt: skip
    said = "，".join(f"{what} {count} 行" for count, what in parts if count)
    return "\n".join(["；".join([said or "没有数据行", *outcome.notes]), *_named(outcome)])


def _named(outcome: load.Outcome) -> list[str]:
    """The first rows with mistakes, in words; all of them are in the workbook."""
    found = [str(one) for one in outcome.mistakes if one.row]
    more = [f"…共 {len(found)} 处"] if len(found) > _NAMED else []
    return [*found[:_NAMED], *more]


def _refuse(batch: ImportBatch, outcome: load.Outcome) -> None:
    whole = [str(one.said) for one in outcome.mistakes.of(0)]
    said = "；".join(whole) or f"{outcome.failed} 行有误，没有写入任何一行"
    said = "\n".join([said, *_named(outcome)])
    _settle(batch, outcome, {"stage": "REFUSED", "message": said}, Path(batch.file.path))


def _settle(batch: ImportBatch, outcome: load.Outcome, values: dict[str, Any], file: Path) -> None:
    """Write down what came of a batch, with the workbook of the rows to correct."""
    good = outcome.total - outcome.failed if outcome.is_kept or outcome.xid else 0
    values |= {"total": outcome.total, "passed": good, "failed": outcome.failed}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mistakes.xlsx"
        if outcome.mistakes.rows - {0}:
            workbook.write(path, file, batch.file_name, outcome.mistakes, LIMITS)
            with path.open("rb") as made:
                kept = File(made, name=f"{secrets.token_hex(12)}.xlsx")
                _update(batch, {**values, "mistakes": kept})
            return
        _update(batch, values)


def _update(batch: ImportBatch, values: dict[str, Any]) -> None:
    with door.acting(by=None, action="import", reason=batch.file_name, channel="IMPORT") as deed:
        numbers = {name: values.pop(name) for name in _COUNTS if name in values}
        changed = deed.change(batch, values)
        ImportBatch._base_manager.filter(pk=changed.pk).update(**numbers)


def _ticker(teller: Any, batch: ImportBatch) -> Any:
    """Tell the batch how far it is, beside the transaction that imports."""

    def tick(count: int) -> None:
        with teller.cursor() as cursor:
            cursor.execute("BEGIN")
            events.announce(cursor, actor=0, action="import", reason="", channel="IMPORT")
            cursor.execute(
                "UPDATE desk_importbatch SET passed = %s WHERE id = %s", [count, batch.pk]
            )
            cursor.execute("COMMIT")

    return tick


def undo(batch: ImportBatch, *, by: Person) -> str:
    """Take a done import back: what it made goes to the recycle bin, what it changed goes back.

    What somebody changed since stays as it is; returns what was done, in words.
    """
    with door.acting(
        by=by, action="undo", reason=f"撤销导入批次 {batch.pk}", channel="IMPORT"
    ) as deed:
        held = ImportBatch._base_manager.select_for_update().get(pk=batch.pk)
        if held.stage != Stage.DONE or held.xid is None:
            raise door.Denied("这一批没有可撤销的内容")
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                gone, kept = takeback.take_back(cursor, held.xid, f"导入 {held.file_name}")
        except IntegrityError as clash:
            raise door.Denied("撤回后会和后来的记录冲突，请逐条改回") from clash
        held.stage, held.undone_at = Stage.UNDONE, deed.at
        held.save(update_fields=["stage", "undone_at"])
    said = f"已撤销 {gone} 条"
    return f"{said}；{kept} 条后来又被改过，没有动" if kept else said


def refused(problem: mistakes.Unreadable) -> str:
    """The findings about a whole file, in one line."""
    return "；".join(one.said if not one.column else str(one) for one in problem.mistakes)


jobs.register("导入", run_waiting)
