"""The year of campaigns: calendar, plan, attribution, lessons; and a campaign's own effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.activities.models import PlanItem
from fangyuan.core import facts, spans
from fangyuan.customers.models import Touch
from fangyuan.desk import replies
from fangyuan.desk.declare import extend
from fangyuan.desk.panels import Panel, Scene
from fangyuan.forms.models import Response
from fangyuan.marketing.models import Campaign
from fangyuan.site import attribution, display

MONTHS: Final = [f"{month} 月" for month in range(1, 13)]
TONES: Final = {"RUNNING": "navy", "ENDED": "soon", "EVALUATED": "ok", "CANCELLED": "mut"}
LESSONS: Final = 8
TABS: Final = {"plan": "年度计划", "effect": "效果与归因", "lessons": "经验教训"}


@require_safe
def plan(request: HttpRequest) -> HttpResponse:
    """A year of campaigns, as planned, as owed, or as learnt from."""
    if not table.may(request.user, "campaign", "r"):
        return replies.refused(request, "你的岗位看不到市场活动")
    year = _year(request.GET.get("year", ""))
    tab = request.GET.get("tab") if request.GET.get("tab") in TABS else "plan"
    rows = _of_year(year, request.user)
    may_see = "spent" not in _veiled(request.user, rows)
    context = {
        "year": year,
        "tab": tab,
        "tabs": [
            {"label": label, "url": f"?year={year}&tab={code}", "current": code == tab}
            for code, label in TABS.items()
        ],
        "months": MONTHS,
        "rows": rows,
        "totals": _totals(rows, may_see),
        "may_see": may_see,
        "may_add": table.may(request.user, "campaign", "c"),
        **_told(str(tab), year, rows, may_see, request),
    }
    return render(request, "site/campaigns.html", context)


def _told(
    tab: str, year: int, rows: list[Any], may_see: bool, request: HttpRequest
) -> dict[str, Any]:
    if tab == "effect":
        found = attribution.owed([row.pk for row in rows])
        came = _came(rows)
        lines = [
            {
                "row": row,
                "came": came.get(row.pk, 0),
                "models": attribution.told(found, row.pk, row.fact_spent if may_see else None),
            }
            for row in rows
        ]
        return {"lines": lines, "model_names": list(attribution.MODELS.values())}
    if tab == "lessons":
        kind = request.GET.get("kind", "")
        return {
            "kind": kind,
            "kinds": [
                {
                    "label": label,
                    "url": f"?year={year}&tab=lessons&kind={code}",
                    "current": code == kind,
                }
                for code, label in [("", "全部"), *Campaign.Kind.choices]
            ],
            "lessons": lessons(kind),
        }
    return {"bars": [_bar(row, year) for row in rows], "items": _items(year, rows)}


def _year(text: str) -> int:
    year = timezone.localdate().year
    return int(text) if text.isdecimal() and 2000 <= int(text) <= year + 5 else year


def _of_year(year: int, actor: Any) -> list[Any]:
    since, until = spans.midnight(date(year, 1, 1)), spans.midnight(date(year + 1, 1, 1))
    rows = Campaign.objects.seen_by(actor).present()
    rows = rows.filter(
        Q(starts_at__gte=since, starts_at__lt=until)
        | Q(starts_at=None, recorded_at__gte=since, recorded_at__lt=until)
    )
    return list(facts.annotate(rows, ["budget", "spent"]).order_by(F("starts_at").asc(), "pk"))


def _veiled(actor: Any, rows: list[Any]) -> frozenset[str]:
    if not rows:
        return frozenset()
    return scopes.veil(actor, rows[:1])[rows[0].pk]


def _totals(rows: list[Any], may_see: bool) -> dict[str, Any]:
    alive = [row for row in rows if row.stage != "CANCELLED"]
    return {
        "count": len(alive),
        "running": sum(row.stage == "RUNNING" for row in rows),
        "waiting": sum(row.stage == "ENDED" for row in rows),
        "budget": sum(row.fact_budget or 0 for row in alive),
        "said": f"已花 {display.money(sum(row.fact_spent for row in alive))}" if may_see else "",
    }


def _came(rows: list[Any]) -> dict[int, int]:
    """How many different people came to each campaign (RES-4.2.3b)."""
    who = Coalesce("contact_id", F("lead_id") * -1, F("customer_id") * -1000003)
    came = (
        Touch.objects.everything("活动到场人数")
        .present()
        .filter(campaign__in=[row.pk for row in rows], kind="ATTENDED")
    )
    return dict(came.order_by().values_list("campaign").annotate(n=Count(who, distinct=True)))


def _bar(row: Any, year: int) -> dict[str, Any]:
    """Where the campaign lies in the year, in parts of a hundred."""
    if row.starts_at is None:
        return {"row": row, "x": None, "tone": ""}
    first, days = date(year, 1, 1), (date(year + 1, 1, 1) - date(year, 1, 1)).days
    begins = (timezone.localtime(row.starts_at).date() - first).days
    end = row.ended_at or row.ends_at or row.starts_at
    lasts = max(1, (timezone.localtime(end).date() - first).days - begins + 1)
    left = round(100 * begins / days, 2)
    width = round(max(1.2, min(100 - left, 100 * lasts / days)), 2)
    return {"row": row, "x": left, "width": width, "tone": TONES.get(row.stage, "plum")}


def _items(year: int, rows: list[Any]) -> list[dict[str, Any]]:
    """The lines of the year's plan, each with the campaign that carries it out (RES-4.2.2a)."""
    items = (
        PlanItem.objects.everything("年度活动计划人人可看")
        .present()
        .filter(plan__kind="CAMPAIGN", plan__period=str(year), plan__removed_at=None)
    )
    by_line = {row.plan_line: row for row in rows if row.plan_line}
    return [
        {"item": item, "campaign": by_line.get(item.purpose)}
        for item in items.select_related("plan", "mode").order_by("at", "pk")
    ]


def lessons(kind: str = "", besides: Any = ()) -> list[Any]:
    """What earlier campaigns of a kind teach, the latest first, each with its campaign."""
    rows = (
        Response.objects.everything("活动的评估人人可学")
        .present()
        .filter(subject_type="campaign", form__kind="EVALUATE", submitted_at__isnull=False)
    )
    if kind in Campaign.Kind.values:
        same = Campaign._base_manager.filter(kind=kind, removed_at=None).values("pk")
        rows = rows.filter(subject_id__in=same)
    rows = facts.annotate(rows.exclude(pk__in=besides), ["used_later"]).select_related("person")
    found = list(rows.order_by("-submitted_at")[:LESSONS])
    named = Campaign._base_manager.in_bulk([one.subject_id for one in found])
    for one in found:
        one.campaign = named.get(one.subject_id)
    return found


@require_POST
def learn(request: HttpRequest, number: int, lesson: int) -> HttpResponse:
    """Take a lesson of an earlier campaign into this one."""
    campaign = Campaign.objects.seen_by(request.user).present().filter(pk=number).first()
    known = Response.objects.everything("采纳教训").present()
    known = known.filter(pk=lesson, subject_type="campaign", form__kind="EVALUATE")
    if campaign is None or not known.exists():
        raise Http404("没有这个活动，或没有这条教训")
    try:
        door.act("take_lesson", campaign, by=request.user, payload={"response": lesson})
    except (door.Denied, door.Refused) as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, "已采纳，策划时照着改")
    return redirect(f"/campaign/{number}#p-same_lessons")


@dataclass
class Effect(Panel):
    """Who came, which leads and deals it is owed by each model, and what a lead cost."""

    name: str = "effect"
    title: str = "效果与归因"

    def context(self, scene: Scene) -> dict[str, Any]:
        may_see = "spent" not in scene.hidden
        rows = Campaign.objects.everything("已按范围取出").filter(pk=scene.record.pk)
        row = facts.annotate(rows, ["spent"])[0]
        found = attribution.owed([row.pk])
        return {
            "came": _came([row]).get(row.pk, 0),
            "models": attribution.told(found, row.pk, row.fact_spent if may_see else None),
            "may_see": may_see,
        }


@dataclass
class SameLessons(Panel):
    """While a campaign is planned: what earlier ones of its kind teach (RES-4.2.3f)."""

    name: str = "same_lessons"
    title: str = "以前的教训"

    def context(self, scene: Scene) -> dict[str, Any]:
        is_open = scene.record.stage in ("PLANNED", "PREPARING")
        found = lessons(scene.record.kind, scene.record.learned_from) if is_open else []
        return {
            "is_open": is_open,
            "lessons": [one for one in found if one.subject_id != scene.record.pk],
            "may_take": scene.may_change,
        }


extend(Campaign, page=[Effect(), SameLessons()])
