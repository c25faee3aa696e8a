"""How well tags work (TAG-1.1), and customers by two of their tags (TAG-5.3.1a)."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Avg, Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import facts, spans, words
from fangyuan.customers.models import Customer
from fangyuan.desk import columns, filters, replies
from fangyuan.desk.models import SavedView, Tag, TagValue
from fangyuan.forms.models import Response
from fangyuan.opportunities.models import Opportunity

DIMENSIONS: Final = ("industry", "size", "customer_type", "region", "grade", "intent", "phase")
MOST: Final = 12


@require_safe
def effect(request: HttpRequest) -> HttpResponse:
    """Coverage, what reviewers passed, satisfaction and use, this quarter beside the last."""
    if not table.may(request.user, "tag", "r"):
        return replies.refused(request, "你的岗位看不到标签")
    quarter = spans.period_at(spans.PeriodKind.QUARTER, timezone.now())
    now, before = _told(quarter, request.user), _told(quarter.previous(), request.user)
    tiles = [
        {**tile, "before": before[place]["value"], "change": _change(tile, before[place])}
        for place, tile in enumerate(now)
    ]
    context = {"tiles": tiles, "quarter": quarter, "tags": _tags(), "sources": _sources()}
    return render(request, "site/tag_effect.html", context)


def _change(now: dict[str, Any], before: dict[str, Any]) -> float | None:
    if now["value"] is None or before["value"] is None:
        return None
    return float(now["value"]) - float(before["value"])


def _told(quarter: Any, actor: Any) -> list[dict[str, Any]]:
    within = (quarter.start, quarter.end)
    values = TagValue.objects.everything("标签成效是全公司的合计").present()
    checked = values.filter(checked_at__range=within).aggregate(
        all=Count("pk"), passed=Count("pk", filter=Q(checked="PASSED"))
    )
    said = (
        Response.objects.everything("满意度是全公司的合计")
        .present()
        .filter(submitted_at__range=within, csat__isnull=False, subject_type="customer")
    )
    used = SavedView.objects.everything("视图用得多不多").present()
    return [
        {"label": "审核通过率", "value": _share(checked["passed"], checked["all"]), "unit": "%"},
        {"label": "新录标签值", "value": values.filter(decided_at__range=within).count(),
         "unit": "个"},
        {"label": "同期满意度", "value": said.aggregate(mean=Avg("csat"))["mean"], "unit": "分"},
        {"label": "按标签存的视图用过",
         "value": used.filter(record="customer", used_at__range=within).count(), "unit": "个"},
    ]  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _tags() -> list[Any]:
    """Each tag in use with how many records have it, of those that may."""
    rows = Tag.objects.everything("标签字典").present().filter(stage="ACTIVE")
    found = list(facts.annotate(rows.select_related("group"), ["used_count"]).order_by("object"))
    whole = Customer.objects.everything("标签覆盖").present().count()
    counted = _filled([tag for tag in found if tag.object == "CUSTOMER" and tag.bound_to])
    for tag in found:
        number = counted.get(tag.pk, tag.fact_used_count)
        tag.filled, tag.share = number, _share(number, whole) if tag.object == "CUSTOMER" else None
    return found


def _filled(tags: list[Any]) -> dict[int, int]:
    """How many customers have a value in the field of each of these tags; one query."""
    asked = {}
    for tag in tags:
        field = columns.field_of(Customer, tag.bound_to.rsplit(".", 1)[-1])
        if field is not None:
            empty = Q(**{f"{field.name}__isnull": True})
            if field.get_internal_type() in ("TextField", "CharField"):
                empty |= Q(**{field.name: ""})
            asked[f"n{tag.pk}"] = Count("pk", filter=~empty)
    if not asked:
        return {}
    told = Customer.objects.everything("标签覆盖").present().aggregate(**asked)
    return {int(name[1:]): number for name, number in told.items()}


def _sources() -> list[tuple[str, int]]:
    rows = TagValue.objects.everything("标签来源").present().filter(replaced_at=None).order_by()
    counted = rows.values_list("source__label").annotate(n=Count("pk")).order_by("-n")
    return list(counted)


@require_safe
def segments(request: HttpRequest) -> HttpResponse:
    """Customers by two of their tags, how many and what they bought, each leading to its rows."""
    if not table.may(request.user, "customer", "r"):
        return replies.refused(request, "你的岗位看不到客户")
    down = _chosen(request.GET.get("down", ""), "industry")
    across = _chosen(request.GET.get("across", ""), "size" if down != "size" else "industry")
    counted = _counted(request.user, down, across)
    heads, sides = _ends(counted, 1), _ends(counted, 0)
    context = {
        "down": down,
        "across": across,
        "choices": [(name, columns.label_of(Customer, name)) for name in DIMENSIONS],
        "heads": [_said(across, value) for value in heads],
        "lines": [
            {
                "side": _said(down, side),
                "cells": [_cell(counted, down, across, side, head) for head in heads],
                "sum": sum(counted[key][0] for key in counted if key[0] == side),
            }
            for side in sides
        ],
        "most": max((cell[0] for cell in counted.values()), default=0),
        "total": sum(cell[0] for cell in counted.values()),
        "won": sum(cell[1] for cell in counted.values()),
    }
    return render(request, "site/segments.html", context)


def _chosen(name: str, usual: str) -> str:
    return name if name in DIMENSIONS else usual


def _counted(actor: Any, down: str, across: str) -> dict[tuple[Any, Any], tuple[int, Any]]:
    """By both values: how many customers the actor sees, and what they brought in won deals."""
    seen = Customer.objects.seen_by(actor).present().order_by().values("pk")
    rows = Customer.objects.everything("看得见的客户").filter(pk__in=seen).order_by()
    keys = [f"{name}_id" if _is_term(name) else name for name in (down, across)]
    counts = rows.values_list(*keys).annotate(n=Count("pk"))
    won = Opportunity.objects.seen_by(actor).present().order_by().values("pk")
    deals = Opportunity.objects.everything("看得见的商机").filter(pk__in=won, outcome="WON")
    sums = deals.order_by().values_list(*(f"customer__{key}" for key in keys))
    brought = {(one, two): total for one, two, total in sums.annotate(total=Sum("amount"))}
    return {(one, two): (n, brought.get((one, two)) or 0) for one, two, n in counts}


def _is_term(name: str) -> bool:
    return bool(columns.field_of(Customer, name).is_relation)


def _ends(counted: dict[tuple[Any, Any], Any], place: int) -> list[Any]:
    """The values of one side, the frequent first, what is not known last."""
    sums: dict[Any, int] = {}
    for key, (number, _) in counted.items():
        sums[key[place]] = sums.get(key[place], 0) + number
    known = sorted((value for value in sums if value), key=lambda value: -sums[value])[:MOST]
    return [*known, *([None] if None in sums or "" in sums else [])]


def _said(name: str, value: Any) -> str:
    if not value:
        return "未填"
    fact = facts.find(Customer, name)
    return words.value_label(fact, value)


def _cell(
    counted: dict[tuple[Any, Any], tuple[int, Any]], down: str, across: str, side: Any, head: Any
) -> dict[str, Any]:
    number, won = counted.get((side, head), (0, 0))
    asked = "&".join(
        f"{name}={str(value).rsplit(':', 1)[-1] if value else filters.NONE}"
        for name, value in ((down, side), (across, head))
    )
    return {"number": number, "won": won, "url": f"/customer/?{asked}"}
