"""The pages of draws: prepare and draw, look at one and run it again, the month's fairness."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import spans
from fangyuan.customers import candidacy, draw, drawing
from fangyuan.customers.management.commands.redraw import PARTS, differences
from fangyuan.customers.models import Allotment, Pool
from fangyuan.desk import replies

SHOWN = 200


@require_http_methods(["GET", "POST"])
def allot(request: HttpRequest, number: int) -> HttpResponse:
    """Who would take part and what there is to give; on the button it is drawn."""
    if not table.may_act(request.user, "allotment.allot"):
        return replies.refused(request, "你的岗位不能分配公海，可以请销售经理来分")
    pool = Pool.objects.everything("分配").present().filter(pk=number, is_active=True).first()
    if pool is None:
        raise Http404("没有这个公海，或已停用")
    with door.acting(by=request.user, action="seal") as deed:
        sealed = drawing.seal(deed, pool)
    if request.method == "POST":
        return _drawn(request, pool, sealed)
    people = candidacy.candidates(pool, timezone.now(), {})
    waiting = drawing.waiting(pool)
    context = {"pool": pool, "sealed": sealed, "people": people, "count": waiting.count()}
    return render(request, "site/allot.html", context | {"most": drawing.MOST})


def _drawn(request: HttpRequest, pool: Pool, sealed: Allotment) -> HttpResponse:
    logins = {one["id"]: one["login"] for one in candidacy.candidates(pool, timezone.now(), {})}
    weights = {}
    for number, login in logins.items():
        told = request.POST.get(f"weight-{number}", "1")
        if not told.isdecimal() or int(told) > 100:
            messages.warning(request, f"权重要写 0 到 100 的整数，“{told}”不行")
            return redirect(f"/pools/{pool.pk}/allot")
        weights[login] = int(told)
    try:
        done = door.act("allot", sealed, by=request.user, payload={"weights": weights})
    except (door.Denied, door.Refused) as refusal:
        messages.warning(request, str(refusal))
        return redirect(f"/pools/{pool.pk}/allot")
    given = sum(draw.counts(done.result).values())
    messages.success(request, f"已分配 {given} 个，种子已公布，谁都可以重演")
    return redirect(f"/draws/{done.pk}")


@require_safe
def one(request: HttpRequest, number: int) -> HttpResponse:
    """A draw as published; `again` runs it once more, `format=json` gives it to take along."""
    found = Allotment.objects.seen_by(request.user).select_related("pool").filter(pk=number).first()
    if found is None:
        raise Http404("没有这一批分配")
    if request.GET.get("format") == "json" and found.at is not None:
        told = {name: getattr(found, name) for name in PARTS}
        return JsonResponse(told, json_dumps_params={"ensure_ascii": False})
    given = draw.counts(found.result)
    names = {person["id"]: person["name"] for person in found.candidates}
    values = {item["id"]: item["value"] for item in found.items}
    people = [
        {
            **person,
            "given": given.get(person["id"], 0),
            "value": _worth(found, person["id"], values),
        }
        for person in found.candidates
    ]
    is_again = "again" in request.GET and found.at is not None
    context = {
        "draw": found,
        "people": people,
        "lines": [
            {**line, "name": names.get(line["person"], "无人可接")} for line in found.result[:SHOWN]
        ],
        "rest": max(0, len(found.result) - SHOWN),
        "is_again": is_again,
        "wrong": differences({n: getattr(found, n) for n in PARTS}) if is_again else [],
    }
    return render(request, "site/draw.html", context)


def _worth(found: Allotment, person: int, values: dict[int, Any]) -> float:
    return sum(values.get(one["item"], 0) for one in found.result if one["person"] == person)


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """What everybody got in a month, by count and by value, against what their weight promised."""
    month = _month(request.GET.get("month", ""))
    after = (month.replace(day=28) + _WEEK).replace(day=1)
    drawn = Allotment.objects.seen_by(request.user).filter(
        at__gte=spans.midnight(month), at__lt=spans.midnight(after)
    )
    lines = fairness(drawn.order_by("at"))
    counts = [line["count"] for line in lines]
    context = {
        "month": month,
        "before": (month - _DAY).replace(day=1),
        "after": after if after <= timezone.localdate() else None,
        "lines": lines,
        "draws": drawn.count(),
        "total": sum(counts),
        "spread": max(counts) - min(counts) if counts else None,
        "gini_count": draw.gini(counts),
        "gini_value": draw.gini([line["value"] for line in lines]),
    }
    return render(request, "site/draw_report.html", context)


_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


def _month(text: str) -> date:
    today = timezone.localdate()
    try:
        return min(date.fromisoformat(f"{text}-01"), today).replace(day=1)
    except ValueError:
        return today.replace(day=1)


def fairness(drawn: Iterable[Allotment]) -> list[dict[str, Any]]:
    """For each person what they got, and what their weight in each draw they could take part in
    promised; who got most comes first."""
    found: dict[int, dict[str, Any]] = {}
    for one in drawn:
        values = {item["id"]: item["value"] for item in one.items}
        able = [person for person in one.candidates if person["is_eligible"]]
        shares = sum(person["weight"] for person in able) or 1
        for person in able:
            line = found.setdefault(
                person["id"],
                {
                    "id": person["id"],
                    "name": person["name"],
                    "draws": 0,
                    "count": 0,
                    "value": 0.0,
                    "due": 0.0,
                },
            )
            line["draws"] += 1
            line["due"] += len(one.result) * person["weight"] / shares
        for got in one.result:
            if got["person"] is not None:
                found[got["person"]]["count"] += 1
                found[got["person"]]["value"] += values.get(got["item"], 0)
    for line in found.values():
        line["gap"] = line["count"] - line["due"]
    return sorted(found.values(), key=lambda line: (-line["count"], line["id"]))
