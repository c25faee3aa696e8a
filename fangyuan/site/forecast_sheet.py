"""The quick sheet: one's open deals with their forecast, said or confirmed in one go each week.

The same line stands alone in a dialog, opened from a deal's page and from its card on the board.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.activities import forecasts
from fangyuan.core import spans
from fangyuan.desk import columns, inputs, replies
from fangyuan.engine.models import Obligation
from fangyuan.forms.models import Form, Response
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Holding
from fangyuan.site import visit_forms

FIELDS: Final = ("amount", "expected_on", "win_rate", "forecast", "next_step")
SHOWN: Final = 60
WEEK: Final = "response.submitted_at"


def _plain(value: Any) -> Any:
    """A number without the zeros behind its point."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else value.normalize()
    return value


class Line(visit_forms.Told):
    """One deal's forecast as it is said."""

    stands_for = {"opportunity": ""}

    def __init__(self, *args: Any, deal: Any, actor: Any, **more: Any) -> None:
        self.deal = deal
        super().__init__(*args, prefix=f"d{deal.pk}", **more)
        for name in FIELDS:
            column = Opportunity._meta.get_field(name)
            field = inputs.input_for(column, actor, is_required=False)
            if name == "next_step":
                field.widget = forms.TextInput({"maxlength": 500, "placeholder": "下一步"})
            field.initial = _plain(columns.value_of(deal, column))
            field.widget.attrs |= {"class": "inp", "aria-label": f"{deal.name}：{field.label}"}
            self.fields[name] = field

    @property
    def cells(self) -> list[Any]:
        """The fields that stand side by side."""
        return [self[name] for name in FIELDS]

    def keep(self, actor: Any, *, tags: bool) -> bool:
        """Say it; what stood in the way is told in the form."""
        if not self.is_valid():
            return False
        said = {n: v for n, v in self.cleaned_data.items() if v is not None} | {"tags": tags}
        try:
            door.act("update_forecast", self.deal, by=actor, payload=said)
        except door.Refused as refusal:
            self.refuse(refusal)
        except door.Denied as denied:
            self.say(str(denied))
        return not self.errors


@require_http_methods(["GET", "POST"])
def week(request: HttpRequest) -> HttpResponse:
    """One's open deals, those first that were not yet updated this week; picked ones are said."""
    actor, now = request.user, timezone.now()
    if not table.may_act(actor, "opportunity.update_forecast"):
        return replies.refused(request, "你的岗位不更新销售预测")
    posted = request.POST if request.method == "POST" else None
    deals = _own(actor)
    lines = [Line(_of(posted, deal), deal=deal, actor=actor) for deal in deals]
    picked = set(posted.getlist("pick")) if posted else set()
    chosen = [one for one in lines if str(one.deal.pk) in picked]
    tags = posted is None or "tags" in posted
    kept = [one for one in chosen if one.keep(actor, tags=tags)]
    if posted is not None and len(kept) == len(chosen):
        said = f"已更新 {len(kept)} 个商机的预测" if kept else "先勾选要更新的商机"
        return replies.done(request, said, "/forecast/week")
    saved = {one.deal.pk for one in kept}
    updated = _updated([deal.pk for deal in deals], now)
    rows = [
        {
            "line": one,
            "updated": now if one.deal.pk in saved else updated.get(one.deal.pk),
            "is_picked": one.deal.pk not in saved
            and (str(one.deal.pk) in picked if posted else one.deal.pk not in updated),
        }
        for one in lines
    ]
    context = {
        "rows": sorted(rows, key=lambda row: row["updated"] is not None),
        "tags": tags,
        "left": sum(1 for row in rows if row["updated"] is None),
        "kept": len(kept),
        "failed": len(chosen) - len(kept),
        "due": _due(actor, [deal.pk for deal in deals]),
        "month": forecasts.standing(actor, timezone.localdate()),
        "first": timezone.localdate().replace(day=1),
    }
    return render(request, "site/forecast_week.html", context, status=422 if posted else 200)


def _of(posted: Mapping[str, Any] | None, deal: Any) -> Any:
    """What was sent of a deal, where anything was."""
    return posted if posted and str(deal.pk) in posted.getlist("pick") else None  # type: ignore[attr-defined]


def _own(actor: Any) -> Sequence[Any]:
    """The open deals for which the actor answers, the nearest first."""
    held = Holding.objects.everything("本人负责的商机").present().filter(
        person=actor, subject_type="opportunity", role="OWNER", ends_at=None
    )  # fmt: skip
    rows = Opportunity.objects.seen_by(actor).present().filter(outcome="OPEN")
    rows = rows.filter(pk__in=held.values("subject_id")).select_related("customer", "stage")
    return list(rows.defer("grams").order_by("expected_on", "pk")[:SHOWN])


def _updated(numbers: Sequence[int], now: datetime) -> dict[int, datetime]:
    """When each of these was last updated this week."""
    rows = Response.objects.everything("本人负责的商机").present().filter(
        form__kind=Form.Kind.WEEKLY,
        subject_type="opportunity",
        subject_id__in=numbers,
        submitted_at__gte=spans.period_at("week", now).start,
    )  # fmt: skip
    return dict(rows.order_by("submitted_at").values_list("subject_id", "submitted_at"))


def _due(actor: Any, numbers: Sequence[int]) -> Any:
    """The nearest duty that this fulfils."""
    rows = Obligation.objects.seen_by(actor).filter(
        subject_type="opportunity", subject_id__in=numbers, state="OPEN",
        rule__params__event=WEEK, due_at__gt=timezone.now(),
    )  # fmt: skip
    return rows.select_related("rule__clause").order_by("due_at").first()


@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """The same line of one deal, in a dialog."""
    deal = scopes.found(request.user, Opportunity, number)
    if deal is None:
        raise Http404(f"opportunity {number}")
    if not (deal.may_be_changed and table.may_act(request.user, "opportunity.update_forecast")):
        return replies.refused(request, "你不能更新这个商机的预测，可以找它的负责人")
    line = Line(request.POST or None, deal=deal, actor=request.user)
    if request.method == "POST" and line.keep(request.user, tags="tags" in request.POST):
        back = request.POST.get("back", "")
        url = back if back.startswith("/pipeline/") else f"/opportunity/{number}"
        return replies.done(request, "已更新预测", url)
    is_part = getattr(request, "htmx", False)
    context = {"line": line, "deal": deal, "back": request.GET.get("back", "")}
    context["tags"] = request.method == "GET" or "tags" in request.POST
    name = "site/forecast_line.html" if is_part else "site/forecast_line_page.html"
    return render(request, name, context, status=422 if line.errors else 200)


@require_POST
def month(request: HttpRequest) -> HttpResponse:
    """Hand in this month's forecast: the figures as they stand now (PS-3.3b, PA-15.1)."""
    try:
        forecasts.submit(request.user, timezone.localdate())
    except door.Refused as refusal:
        return replies.done(request, str(refusal), "/forecast/week")
    except door.Denied as denied:
        return replies.refused(request, str(denied))
    return replies.done(request, "已提交本月预测", "/forecast/week")


def month_of(text: str, today: date) -> date:
    """A month as an address says it, else this one."""
    try:
        return date.fromisoformat(text).replace(day=1)
    except ValueError:
        return today.replace(day=1)
