"""Import and export over HTTP: upload, look, run, result, take back; the list as a file."""

from __future__ import annotations

import tempfile
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import tables
from fangyuan.desk import pages, rows
from fangyuan.desk.declare import Desk
from fangyuan.desk.exchange import batches, columns, mistakes, outbox
from fangyuan.desk.exchange.export import Export
from fangyuan.desk.models import ImportBatch
from fangyuan.desk.replies import done, face, outcome, refused

RECENT = 8
FORMATS = {"xlsx": "Excel 工作簿", "csv": "CSV", "jsonl": "JSON 行"}


def may_load(actor: Any, desk: Desk) -> bool:
    """Whether the actor may import records of this type."""
    can_write = any(table.may(actor, desk.name, operation) for operation in "cu")
    return desk.is_record and can_write and table.may(actor, "import_batch", "c")


@require_http_methods(["GET", "POST"])
@face("r")
def upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose a file; it is looked at before anything is written."""
    if not may_load(request.user, desk):
        return refused(request, f"你的岗位不能导入{desk.label}")
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise mistakes.whole("没有选文件", "选一个 xlsx、csv 或 jsonl 文件")
            batch = batches.receive(desk.model, file, request.user)  # type: ignore[arg-type]
        except mistakes.Unreadable as wrong:
            problem = batches.refused(wrong)
        else:
            return redirect(f"/{desk.name}/import/{batch.pk}")
    seen = ImportBatch.objects.seen_by(request.user).present().filter(record=desk.name)
    context = {"desk": desk, "recent": seen.order_by("-id")[:RECENT], "problem": problem}
    status = 400 if problem else 200
    return render(request, "exchange/upload.html", context, status=status)


def _batch(request: HttpRequest, desk: Desk, pk: int) -> ImportBatch:
    seen = ImportBatch.objects.seen_by(request.user).filter(record=desk.name)
    batch: ImportBatch | None = seen.filter(pk=pk).first()
    if batch is None:
        raise Http404(f"导入批次 {pk}")
    return batch


@require_http_methods(["GET", "POST"])
@face("r")
def batch(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """A batch: its preview, its progress or its result, whichever it has come to."""
    found = _batch(request, desk, pk)
    if not may_load(request.user, desk):
        return refused(request, f"你的岗位不能导入{desk.label}")
    if request.method == "POST":
        return _start(request, desk, found)
    context: dict[str, Any] = {"desk": desk, "batch": found}
    if found.stage == ImportBatch.Stage.PREVIEW:
        return render(request, "exchange/preview.html", context | _preview(request, desk, found))
    context["is_mine"] = found.person_id == request.user.pk or _is_admin(request)
    is_part = getattr(request, "htmx", False)
    name = "exchange/progress.html" if is_part else "exchange/batch.html"
    return render(request, name, context)


def _is_admin(request: HttpRequest) -> bool:
    return table.sight(request.user).is_admin


def _preview(request: HttpRequest, desk: Desk, found: ImportBatch) -> dict[str, Any]:
    try:
        look = batches.look(found, request.user)  # type: ignore[arg-type]
    except mistakes.Unreadable as wrong:
        return {"problem": batches.refused(wrong)}
    offered = columns.visible(desk.model, request.user)
    heads = [
        {"place": place, "text": text, "guess": look["guess"].get(text.strip(), "")}
        for place, text in enumerate(look["header"])
    ]
    return {
        "look": look,
        "heads": heads,
        "offered": offered,
        "modes": ImportBatch.Mode.choices,
        "may_history": _is_admin(request),
    }


def _start(request: HttpRequest, desk: Desk, found: ImportBatch) -> HttpResponse:
    known = {column.name for column in columns.visible(desk.model, request.user)}
    mapping: dict[str, str] = {}
    for place, text in enumerate(batches.look(found, request.user)["header"]):  # type: ignore[arg-type]
        name = request.POST.get(f"column.{place}", "")
        mapping[text.strip()] = name if name in known else ""
    mode = request.POST.get("mode", "OVERWRITE")
    if mode not in ImportBatch.Mode.values:
        return render(request, "400.html", {"exception": "没有这种导入方式"}, status=400)
    how = {
        "mode": mode,
        "mapping": mapping,
        "is_partial": request.POST.get("partial") == "on",
        "is_history": request.POST.get("history") == "on" and _is_admin(request),
    }
    batches.start(found, by=request.user, **how)  # type: ignore[arg-type]
    return redirect(f"/{desk.name}/import/{found.pk}")


@require_GET
@face("r")
def rows_to_correct(request: HttpRequest, desk: Desk, pk: int) -> FileResponse:
    """The workbook of the rows to correct."""
    found = _batch(request, desk, pk)
    if not found.mistakes:
        raise Http404("没有待改的行")
    return FileResponse(
        found.mistakes.open("rb"), as_attachment=True, filename=f"{desk.label}-待改的行.xlsx"
    )


@require_POST
@face("r")
def undo(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Take an import back."""
    found = _batch(request, desk, pk)
    if found.person_id != request.user.pk and not _is_admin(request):
        raise door.Denied("只有导入的人能撤销这一批")
    messages.success(request, batches.undo(found, by=request.user))  # type: ignore[arg-type]
    return redirect(f"/{desk.name}/import/{pk}")


@require_GET
@face("r")
def template(request: HttpRequest, desk: Desk) -> FileResponse:
    """An empty workbook with the columns that this person may fill in."""
    header = [column.label for column in columns.template(desk.model, request.user)]
    made = tempfile.TemporaryFile()
    tables.write_xlsx(made, header, [])
    made.seek(0)
    return FileResponse(made, as_attachment=True, filename=f"{desk.label}-导入模板.xlsx")


@require_GET
@face("r")
def export(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list as it stands, as a file; logged, marked, and agreed to where a clause asks."""
    given = request.GET.copy()
    form = (given.pop("format", None) or ["xlsx"])[-1]
    if form not in FORMATS:
        return render(request, "400.html", {"exception": f"没有“{form}”这种格式"}, status=400)
    query = pages.read(given, desk)
    found = desk.model._base_manager.filter(
        pk__in=rows.found(desk, query, request.user, timezone.now()).values("pk")
    )
    purpose = given.urlencode()
    count = found.count()
    terminal = request.META.get("REMOTE_ADDR", "")
    try:
        waiting = outbox.release(request.user, desk.name, count, purpose, terminal)
    except door.Denied as denied:
        return refused(request, str(denied))
    if waiting is not None:
        told = f"导出 {count} 条要先批准（{waiting.request.clause}），{outcome('导出', waiting)}"
        return done(
            request, f"{told}，批准后再来下载", f"/approvals/{waiting.request.pk}?tab=asked"
        )
    mark = outbox.marked(desk.label, request.user, timezone.now())
    made = tempfile.TemporaryFile()
    outbox.write(
        made,
        Export(desk.model, request.user, plain=form == "jsonl"),
        found,
        form,
        mark=mark,
        sheet=mark,
    )
    made.seek(0)
    name = f"{desk.label}-{timezone.localtime():%Y%m%d-%H%M}.{form}"
    return FileResponse(made, as_attachment=True, filename=name, content_type=outbox.FORMATS[form])
