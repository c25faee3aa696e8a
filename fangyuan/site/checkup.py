"""制度体检: what is wrong with the rulebook, why, with figures, and what to do about each flaw."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import ready
from fangyuan.desk.exchange import outbox
from fangyuan.engine import checkup
from fangyuan.engine.models import Policy
from fangyuan.site import drafting, flaws
from fangyuan.site.proof import coverage
from fangyuan.supervision import checkups

MOST, FEW = 100, 6  # rows of one kind on its own page, and beside the others
HEADER = (
    "制度",
    "条号",
    "短名",
    "严重程度",
    "问题",
    "为什么",
    "数字",
    "原文位置",
    "备案理由",
    "备案到",
)


_TITLES = ready.Ready(
    lambda: (
        Policy.objects.everything("制度人人可读")
        .present()
        .filter(stage="PUBLISHED")
        .order_by("pk")
        .values_list("code", "title")
    )
)


def _must_see(person: Any) -> None:
    if not drafting.may_look(person):
        raise PermissionDenied("制度体检给制度归口部门、管理层和审计看")


@require_safe
def page(request: HttpRequest, code: str = "") -> HttpResponse:
    """The checkup of one regulation or of all; narrowed by `kind`, `severity` and `kept`."""
    _must_see(request.user)
    titles = dict(_TITLES())
    if code and code not in titles:
        raise Http404("没有这套制度，请从制度库里找")
    every = flaws.look(code)
    chosen = {name: request.GET.get(name, "") for name in ("kind", "severity", "kept")}
    rows = [one for one in every if bool(one.kept) == bool(chosen["kept"])]
    shown = [one for one in rows if _fits(one.flaw, chosen)]
    context = {
        "code": code,
        "title": titles.get(code, ""),
        "titles": titles,
        "path": request.path,
        "chosen": chosen,
        "tiles": _tiles(every, request.path),
        "groups": _groups(shown, most=MOST if chosen["kind"] else FEW),
        "kinds": _kinds(rows),
        "policies": [] if code else _policies(rows, titles),
        "may_draft": drafting.may_draft(request.user),
        "may_keep": table.may(request.user, "acknowledgement", "c"),
        "may_export": table.may_act(request.user, outbox.VERB),
        "is_proved": coverage.last() is not None,
        "today": timezone.localdate(),
        "query": urlencode({name: value for name, value in chosen.items() if value}),
    }
    return render(request, "site/checkup.html", context)


def _fits(flaw: checkup.Flaw, chosen: dict[str, str]) -> bool:
    named = (("kind", flaw.code), ("severity", flaw.severity))
    return all(chosen[name] in ("", value) for name, value in named)


def _tiles(every: list[flaws.Found], path: str) -> list[dict[str, Any]]:
    counts = Counter(one.flaw.severity for one in every if not one.kept)
    tiles = [
        {"title": label, "value": counts[code], "url": f"{path}?severity={code}"}
        for code, label in checkup.SEVERITIES.items()
    ]
    kept = sum(bool(one.kept) for one in every)
    return [*tiles, {"title": "已备案", "value": kept, "url": f"{path}?kept=1"}]


def _groups(shown: list[flaws.Found], *, most: int) -> list[dict[str, Any]]:
    """By kind, those with the worst flaws first, each with as many rows as there is room for."""
    groups = []
    for kind in checkup.KINDS.values():
        rows = [one for one in shown if one.flaw.code == kind.code]
        if rows:
            groups.append({"kind": kind, "rows": rows[:most], "all": len(rows)})
    return sorted(groups, key=lambda group: group["rows"][0].flaw.rank)


def _kinds(rows: list[flaws.Found]) -> list[tuple[checkup.Kind, int]]:
    counts = Counter(one.flaw.code for one in rows)
    return [(kind, counts[kind.code]) for kind in checkup.KINDS.values() if counts[kind.code]]


def _policies(rows: list[flaws.Found], titles: dict[str, str]) -> list[dict[str, Any]]:
    counts = Counter((one.flaw.policy, one.flaw.severity) for one in rows)
    return [
        {
            "code": code,
            "title": title,
            "counts": [
                (flaws.TONES[severity], counts[code, severity]) for severity in checkup.SEVERITIES
            ],
        }
        for code, title in titles.items()
    ]


# --- panels of other pages, fetched when those are there


@require_safe
def panel(request: HttpRequest, code: str) -> HttpResponse:
    """What the page of a regulation says of its health."""
    _must_see(request.user)
    if not getattr(request, "htmx", False):
        return redirect("checkup_policy", code=code)
    context = {"code": code, "health": flaws.panel(code)}
    return render(request, "site/checkup_panel.html", context)


@require_safe
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """What a draft should be warned of before it is published."""
    policy = drafting.found(request.user, pk)
    context = {"policy": policy, "warned": flaws.of_draft(policy)}
    whole = "" if getattr(request, "htmx", False) else "_page"
    return render(request, f"site/draft_checkup{whole}.html", context)


# --- deeds


@require_POST
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Put a flaw on record with a reason and a day."""
    _must_see(request.user)
    code, key = request.POST.get("code", ""), request.POST.get("flaw", "")
    found = next((one.flaw for one in flaws.look(code) if one.flaw.key == key), None)
    if found is None:
        messages.warning(request, "这个问题已经不在了，可能刚改过条款或规则")
        return _back(request, code)
    try:
        ends_on = date.fromisoformat(request.POST.get("ends_on", ""))
    except ValueError:
        ends_on = None
    try:
        reason = request.POST.get("reason", "")
        checkups.acknowledge(found, reason=reason, ends_on=ends_on, by=request.user)
    except door.Refused as wrong:
        messages.warning(request, "；".join(one.sentence for one in wrong.unmet))
    except door.Denied as wrong:
        messages.warning(request, str(wrong))
    else:
        messages.success(request, f"已备案，{ends_on} 之后会重新列出")
    return _back(request, code)


def _back(request: HttpRequest, code: str) -> HttpResponse:
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}):
        address = f"/checkup/{code}" if code else "/checkup"
    return redirect(address)


# --- taking it along


class Sheet:
    """The flaws as rows of a file."""

    header = list(HEADER)

    def __init__(self, titles: dict[str, str]) -> None:
        self.titles = titles

    def rows(self, found: Iterable[flaws.Found]) -> Iterator[list[str]]:
        """One flaw a row; the places in the text stand in brackets."""
        for one in found:
            flaw, kept = one.flaw, one.kept
            marked = "".join(
                f"【{text}】" if is_marked else text for text, is_marked in flaw.pieces
            )
            yield [
                self.titles.get(flaw.policy, flaw.policy),
                flaw.clause,
                flaw.title,
                flaw.severity_label,
                flaw.kind.label,
                flaw.why,
                "；".join(f"{name} {value}" for name, value in flaw.figures),
                marked if flaw.marks else "",
                kept.reason if kept else "",
                f"{kept.ends_on}" if kept else "",
            ]


@require_safe
def export(request: HttpRequest, code: str = "") -> HttpResponse:
    """The same as a file, logged as every export is; `format` is csv, xlsx or jsonl."""
    _must_see(request.user)
    form = request.GET.get("format", "xlsx")
    if form not in outbox.FORMATS:
        raise Http404("没有这种格式")
    titles, found = dict(_TITLES()), flaws.look(code)
    try:
        waiting = outbox.release(request.user, "clause", len(found), f"制度体检 {code}".strip())
    except door.Denied as wrong:
        raise PermissionDenied(str(wrong)) from wrong
    if waiting is not None:
        messages.warning(request, "这次导出要先审批，批准后再点一次导出")
        return redirect(f"/checkup/{code}" if code else "/checkup")
    name = f"制度体检 {timezone.localdate()}"
    body = io.BytesIO()
    mark = outbox.marked(name, request.user, timezone.now())
    outbox.write(body, Sheet(titles), found, form, mark=mark, sheet="制度体检")  # type: ignore[arg-type]
    response = HttpResponse(body.getvalue(), content_type=outbox.FORMATS[form])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.{form}"
    return response
