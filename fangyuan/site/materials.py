"""Finding the right material, reading it, giving it to a customer, and what the customer opens."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.access.models import AccessLog
from fangyuan.core import facts
from fangyuan.customers import sending
from fangyuan.customers.models import Customer, Lead, Touch
from fangyuan.desk import replies
from fangyuan.desk.models import Attachment
from fangyuan.library.models import Material

SHOWN: Final = 60
CHOICES: Final = 8
FIGURES: Final = ("read_count", "use_count", "feedback_sides")


@require_safe
def finder(request: HttpRequest) -> HttpResponse:
    """Current materials by words, kind and how far they may go; the most used come first."""
    if not table.may(request.user, "material", "r"):
        return replies.refused(request, "你的岗位看不到资料")
    words, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    is_open = request.GET.get("open") == "1"
    rows = Material.objects.seen_by(request.user).present().filter(state="PUBLISHED")
    kinds = set(rows.order_by().values_list("kind", flat=True).distinct())
    rows = _narrowed(rows, words, kind if kind in kinds else "", is_open)
    found = facts.annotate(rows, FIGURES).select_related("category", "product")
    most_used = ("-fact_use_count", "-fact_read_count", "-published_at")
    context = {
        "rows": list(found.order_by(*most_used)[:SHOWN]),
        "q": words,
        "kind": kind,
        "is_open": is_open,
        "kinds": [(code, label) for code, label in Material.Kind.choices if code in kinds],
        "may_send": table.may_act(request.user, "material.send_out"),
        "may_add": table.may(request.user, "material", "c"),
        "today": timezone.localdate(),
    }
    return render(request, "site/materials.html", context)


def _narrowed(rows: Any, words: str, kind: str, is_open: bool) -> Any:
    for word in words.split():
        rows = rows.filter(
            Q(title__icontains=word)
            | Q(summary__icontains=word)
            | Q(code__icontains=word)
            | Q(product__name__icontains=word)
            | Q(category__label__icontains=word)
            | Q(sections__icontains=word)
        )
    rows = rows.filter(kind=kind) if kind else rows
    return rows.filter(level="EXTERNAL") if is_open else rows


def _seen(request: HttpRequest, number: int) -> Material:
    rows = Material.objects.seen_by(request.user).present().select_related("category", "product")
    found: Material | None = facts.annotate(rows, FIGURES).filter(pk=number).first()
    if found is None:
        raise Http404("没有这份资料")
    return found


@require_safe
def read(request: HttpRequest, number: int) -> HttpResponse:
    """A material to be read; once a day it is traced who read it."""
    material = _seen(request, number)
    _trace(request.user, material)
    context = {
        "material": material,
        "files": _files(material),
        "is_over": bool(material.expires_on and material.expires_on < timezone.localdate()),
        "newer": Material.objects.seen_by(request.user)
        .present()
        .filter(code=material.code, state="PUBLISHED")
        .exclude(pk=material.pk)
        .first(),
        "may_send": table.may_act(request.user, "material.send_out"),
    }
    return render(request, "site/material_read.html", context)


def _trace(actor: Any, material: Material) -> None:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    known = AccessLog.objects.everything("当日查阅").filter(
        person=actor, kind=AccessLog.Kind.READ, subject_type="material", subject_id=material.pk
    )
    if not known.filter(at__gte=today).exists():
        trace = AccessLog(person=actor, kind=AccessLog.Kind.READ, purpose="material")
        trace.subject = material
        trace.save()


def _files(material: Material) -> list[Attachment]:
    rows = Attachment.objects.everything("资料的文件").present().filter(level="PUBLIC")
    return list(rows.filter(subject_type="material", subject_id=material.pk).order_by("-pk"))


@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, number: int) -> HttpResponse:
    """Choose to whom a material goes, and give it: the page then holds the link to hand on."""
    if not table.may_act(request.user, "material.send_out"):
        return replies.refused(request, "你的岗位不能对外发资料，可以请负责该客户的同事发")
    material = _seen(request, number)
    if request.method == "POST":
        return _sent(request, material)
    touch = _own_touch(request, material)
    words = request.GET.get("q", "").strip()
    context = {
        "material": material,
        "q": words,
        "found": [] if touch else _whom(request.user, words),
        "touch": touch,
        "link": request.build_absolute_uri(sending.link(touch)) if touch else "",
        "days": sending.DAYS,
    }
    return render(request, "site/material_send.html", context)


def _whom(actor: Any, words: str) -> list[dict[str, Any]]:
    found = []
    for model, kind in ((Customer, "customer"), (Lead, "lead")):
        if not table.may(actor, kind, "r"):
            continue
        name = "name" if model is Customer else "company"
        rows = model.objects.seen_by(actor).present()
        rows = rows.filter(**{f"{name}__icontains": words}) if words else rows
        rows = rows.filter(customer=None) if model is Lead else rows
        found += [
            {"kind": kind, "label": "客户" if model is Customer else "线索", "row": row}
            for row in rows.order_by("-pk").distinct()[:CHOICES]
        ]
    return found


def _sent(request: HttpRequest, material: Material) -> HttpResponse:
    kind, _, number = request.POST.get("to", "").partition(":")
    model = {"customer": Customer, "lead": Lead}.get(kind)
    rows = model.objects.seen_by(request.user).present() if model else None
    whom = rows.filter(pk=int(number)).first() if rows is not None and number.isdecimal() else None
    payload = {kind: whom, "way": request.POST.get("way", "LINK")} if whom is not None else {}
    try:
        touch = door.act("send_out", material, by=request.user, payload=payload)
    except (door.Denied, door.Refused) as refused:
        messages.warning(request, str(refused))
        return redirect(f"/materials/{material.pk}/send")
    messages.success(request, f"已登记发给{whom}，把链接转给对方")
    return redirect(f"/materials/{material.pk}/send?touch={touch.pk}")


def _own_touch(request: HttpRequest, material: Material) -> Touch | None:
    number = request.GET.get("touch", "")
    if not number.isdecimal():
        return None
    rows = Touch.objects.everything("刚发出的这一次").present().select_related("customer", "lead")
    found: Touch | None = rows.filter(
        pk=int(number), material=material, recorded_by=request.user.pk
    ).first()
    return found


@login_not_required
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """What a customer sees who follows the link."""
    touch = sending.opened(token)
    if touch is None:
        return render(request, "site/material_gone.html", status=404)
    sending.note(touch, Touch.Kind.OPENED)
    context = {"material": touch.material, "files": _files(touch.material), "token": token}
    return render(request, "site/material_open.html", context)


@login_not_required
@require_safe
def fetched(request: HttpRequest, token: str, number: int) -> HttpResponseBase:
    """A file that a customer takes along by the link."""
    touch = sending.opened(token)
    files = _files(touch.material) if touch else []
    file = next((one for one in files if one.pk == number), None)
    if touch is None or file is None:
        return render(request, "site/material_gone.html", status=404)
    sending.note(touch, Touch.Kind.DOWNLOADED)
    answer = FileResponse(file.file.open("rb"), as_attachment=True, filename=file.name)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """The user manual in force (PS-3.1d)."""
    rows = Material.objects.seen_by(request.user).present()
    found = rows.filter(kind="GUIDE", state="PUBLISHED").order_by("-published_at").first()
    if found is None:
        messages.info(request, "还没有发布操作手册，资料里可以看到其他文档")
        return redirect("/materials?kind=GUIDE")
    return redirect(f"/materials/{found.pk}")
