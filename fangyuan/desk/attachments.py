"""Files kept with a record: handed in through its page, read by whoever may see the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk.declare import Desk, address
from fangyuan.desk.models import Attachment
from fangyuan.desk.panels import Panel, Scene
from fangyuan.desk.replies import done, face, scene, seen

LARGEST: Final = 20 * 2**20
ROWS: Final = 40
# What may be handed in, by the end of its name, and how such a file begins.
BEGINS: Final[dict[str, tuple[bytes, ...]]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "docx": (b"PK\x03\x04",),
    "xlsx": (b"PK\x03\x04",),
    "pptx": (b"PK\x03\x04",),
    "zip": (b"PK\x03\x04",),
    "mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3"),
    "m4a": (b"\x00\x00\x00",),
    "txt": (b"",),
    "csv": (b"",),
}


# Whoever knows what a type's files must be looks at them before they are kept.
Look = Callable[[door.Deed, Any, Any], None]  # (deed, record, file); raises Refused or Denied
_looks: dict[str, Look] = {}


def looks_at(record: str) -> Callable[[Look], Look]:
    """Register what looks at each file that is handed in with a record of this type."""

    def register(look: Look) -> Look:
        _looks[record] = look
        return look

    return register


def keep(deed: door.Deed, record: Any, file: Any, *, kind: str = "GENERAL") -> Attachment:
    """Keep an uploaded file with a record; raises Refused where it is too large, of no known type
    or not what the record's type wants, Denied where the actor may hand in none."""
    name = PurePath(str(file.name).replace("\\", "/")).name
    begins = BEGINS.get(PurePath(name).suffix.lstrip(".").lower())
    head = file.read(16)
    file.seek(0)
    if begins is None or not head.startswith(begins) or (begins == (b"",) and b"\0" in head):
        ends = "、".join(BEGINS)
        raise door.Refused([door.Unmet(f"只收这些文件：{ends}，内容也要相符", "file")])
    if file.size > LARGEST:
        raise door.Refused([door.Unmet(f"文件最大 {LARGEST >> 20} MB，请压缩后再传", "file")])
    if look := _looks.get(record.record_name()):
        look(deed, record, file)
        file.seek(0)
    hashed = hashlib.sha256()
    for chunk in file.chunks():
        hashed.update(chunk)
    file.seek(0)
    values = {"name": name, "size": file.size, "sha256": hashed.hexdigest(), "file": file}
    made: Attachment = deed.create(
        Attachment, {**values, "subject": record, "kind_id": f"attachment:{kind}"}
    )
    return made


@dataclass
class Attachments(Panel):
    """The files of the record, and a way to add one."""

    name: str = "attachments"
    title: str = "附件"
    is_side: bool = True

    def is_shown(self, actor: Any) -> bool:
        return table.may(actor, "attachment", "r")

    def context(self, scene: Scene) -> dict[str, Any]:
        may_add = table.may(scene.actor, "attachment", "c") and scene.record.removed_at is None
        return {
            "files": list(_of(scene).select_related("kind")[:ROWS]),
            "url": scene.url("/attach"),
            "base": scene.url("/attachment"),
            "may_add": may_add,
            "ends": ",".join(f".{end}" for end in BEGINS),
        }


def _of(scene: Scene) -> Any:
    """The files of a record; what is sensitive is for those who answer for it."""
    found = Attachment.objects.everything("所属记录在范围内").present()
    found = found.filter(subject_type=scene.desk.name, subject_id=scene.record.pk)
    return found if scene.may_change else found.filter(level="PUBLIC")


@require_POST
@face("r")
def attach(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Hand in a file with a record."""
    record, file = seen(desk, request.user, pk), request.FILES.get("file")
    url = f"{address(record)}#p-attachments"
    if file is None:
        return done(request, "先选一份文件", url)
    try:
        with door.acting(by=request.user, action="attach") as deed:
            keep(deed, record, file)
    except (door.Refused, door.Denied) as refused:
        messages.warning(request, str(refused))
        return redirect(url)
    return done(request, f"已上传{PurePath(file.name).name}", url)


@require_safe
@face("r")
def download(request: HttpRequest, desk: Desk, pk: int, number: int) -> HttpResponseBase:
    """One file of a record that the actor may see, always to be kept, never to be run."""
    look = scene(request, desk, pk)
    file = _of(look).filter(pk=number).first()
    if file is None:
        raise Http404(f"附件 {number}")
    answer = FileResponse(file.file.open("rb"), as_attachment=True, filename=file.name)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
