"""A manager's figure beside the reps' own: set with a reason, in a dialog with the history."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk import inputs, replies
from fangyuan.opportunities import forecast
from fangyuan.opportunities.models import Adjustment
from fangyuan.site import visit_forms
from fangyuan.site.forecast_sheet import month_of


class Word(visit_forms.Told):
    """What is expected, and why."""

    amount = inputs.input_for(Adjustment._meta.get_field("amount"), None, is_required=True)
    reason = visit_forms.area("理由", 2, "为什么和自报不同，例如：客户预算会推迟到一月")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["amount"].widget.attrs["class"] = "inp"
        self.fields["amount"].help_text = "元。只记在判断里，不改商机上的金额"

    def clean_reason(self) -> str:
        """A figure of one's own wants a reason."""
        said = str(self.cleaned_data.get("reason") or "").strip()
        if not said:
            raise forms.ValidationError("写明理由")
        return said


@require_http_methods(["GET", "POST"])
def adjust(request: HttpRequest) -> HttpResponse:
    """Set a figure for a person or team and month; every earlier one stays to be seen."""
    actor, today = request.user, timezone.localdate()
    if not table.may(actor, "adjustment", "c"):
        return replies.refused(request, "预测调整由经理以上来做")
    told = forecast.forecast(actor, "month", today)
    given = request.GET if request.method == "GET" else request.POST
    month, node = month_of(given.get("month", ""), today), _node(told, given)
    own, expected = node.of(str(month)).own, told.expected(node, month)
    form = Word(request.POST or None, initial={"amount": expected})
    if request.method == "POST" and form.is_valid():
        if _keep(actor, node, month, {**form.cleaned_data, "own_amount": own}, form):
            back = f"/forecast?{node.key[0]}={node.key[1]}&period={month}"
            return replies.done(request, f"已记下对{node.label}的判断", back)
    context = {
        "form": form,
        "node": node,
        "month": month,
        "own": own,
        "past": _past(actor, node, month),
        "here": f"/forecast/adjust?{node.key[0]}={node.key[1]}&month={month}",
    }
    is_part = getattr(request, "htmx", False)
    name = "site/forecast_adjust.html" if is_part else "site/forecast_adjust_page.html"
    return render(request, name, context, status=422 if form.errors else 200)


def _node(told: forecast.Forecast, given: Any) -> forecast.Node:
    for kind in ("person", "team"):
        number = given.get(kind, "")
        if number.isdecimal() and (kind, int(number)) in told.nodes:
            return told.nodes[(kind, int(number))]
    raise Http404("没有这个人或团队")


def _keep(actor: Any, node: forecast.Node, month: date, said: Any, form: Word) -> bool:
    if node.key == ("person", actor.pk):
        form.say("自己的预测在商机上改，判断由上级来做")
        return False
    whose = {f"{node.key[0]}_id": node.key[1]}
    try:
        door.create(Adjustment, {**whose, **said, "month": month, "author": actor}, by=actor)
    except door.Refused as refusal:
        form.refuse(refusal)
    except door.Denied as denied:
        form.say(str(denied))
    return not form.errors


def _past(actor: Any, node: forecast.Node, month: date) -> list[Adjustment]:
    rows = Adjustment.objects.seen_by(actor).present().filter(month=month)
    mine = rows.filter(**{node.key[0]: node.key[1]}).select_related("author")
    return list(mine.order_by("-id"))
