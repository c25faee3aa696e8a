"""The paper of a record: a page to print, the same as PDF, and as a document from a template.

A room says with `prints` what the paper of one of its types is; the addresses, who may read it and
how it is set are the same for all: `/quote/7/paper`, `/quote/7/paper.pdf`, `/quote/7/paper.docx`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from fangyuan.core import press
from fangyuan.core.paper import Paper
from fangyuan.desk.declare import Desk, address
from fangyuan.desk.panels import Scene
from fangyuan.desk.replies import face, scene

PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True)
class Wording:
    """What a document of a type may say: the words offered, and a template to begin with."""

    words: Callable[[Any], Mapping[str, Any]]  # of one record
    sample: Mapping[str, Any]  # the same words of an invented record
    lines: Sequence[str]  # of the template to begin with; TABLE stands for the table
    table: Mapping[str, Any] = field(default_factory=dict)
    # The company's own template for this record, or None where there is none.
    template: Callable[[Any], bytes | None] = lambda record: None


@dataclass(frozen=True)
class Printed:
    """How one record type is printed."""

    title: str
    make: Callable[[Any, Any, datetime], Paper]  # (record, actor, now)
    wording: Wording | None = None


_printed: dict[str, Printed] = {}


def prints(record: str, title: str, wording: Wording | None = None) -> Callable[[Any], Any]:
    """Register a function `(record, actor, now)` as what makes the paper of a type."""

    def keep(make: Any) -> Any:
        _printed[record] = Printed(title, make, wording)
        return make

    return keep


def of(record: str) -> Printed | None:
    """How a type is printed, or None."""
    return _printed.get(record)


def make(record: Any, actor: Any, at: datetime) -> Paper:
    """The paper of a record as this person may see it."""
    return _printed[record.record_name()].make(record, actor, at)


def document(record: Any) -> bytes:
    """The record in the company's template, or in the one to begin with; raises Unprintable."""
    wording = _printed[record.record_name()].wording
    assert wording is not None  # noqa: S101 - the address exists only where there is one
    return press.document(wording.template(record) or starter(wording), wording.words(record))


def starter(wording: Wording) -> bytes:
    """A template to begin with, which holds every word offered in its place."""
    return press.starter(list(wording.lines), wording.table or None)


def _told(desk: Desk, request: HttpRequest, pk: int) -> tuple[Printed, Scene]:
    printed = of(desk.name)
    if printed is None:
        raise Http404(f"{desk.label}没有文书")
    return printed, scene(request, desk, pk)


@require_safe
@face("r")
def page(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """The paper on the screen, ready to be printed."""
    printed, look = _told(desk, request, pk)
    paper = printed.make(look.record, request.user, look.now)
    context = {"paper": paper, "back": address(look.record), "here": look.url("/paper")}
    return render(request, "desk/paper.html", {**context, "has_docx": printed.wording is not None})


@require_safe
@face("r")
def pdf(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """The paper as PDF."""
    printed, look = _told(desk, request, pk)
    paper = printed.make(look.record, request.user, look.now)
    try:
        return _file(press.pdf(paper), PDF, f"{name_of(paper)}.pdf")
    except press.Unprintable as why:
        messages.warning(request, str(why))
        return redirect(look.url("/paper"))


@require_safe
@face("r")
def docx(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """The paper as a document to go on working with, in the company's own template."""
    printed, look = _told(desk, request, pk)
    if printed.wording is None:
        raise Http404(f"{printed.title}没有 Word 版")
    paper = printed.make(look.record, request.user, look.now)
    try:
        return _file(document(look.record), DOCX, f"{name_of(paper)}.docx")
    except press.Unprintable as why:
        messages.warning(request, f"公司模板用不了：{why}")
        return redirect(look.url("/paper"))


def name_of(paper: Paper) -> str:
    """What the file of a paper is called."""
    return "_".join(part for part in (paper.title, paper.number) if part).replace("/", "-")[:80]


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = str(content_disposition_header(kind != PDF, name))
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
