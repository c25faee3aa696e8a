"""Drawing up a notice from picked breaches or from a finding, and the notice as a document."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fangyuan import door
from fangyuan.access import table
from fangyuan.core import calendar, spans
from fangyuan.desk import duties
from fangyuan.desk.replies import refused
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Person
from fangyuan.supervision import actions, measure
from fangyuan.supervision.models import Finding, Rectification

MOST = 40
DAYS = {"TAG": 5}  # working days to put right what an inspection of this kind found
USUAL_DAYS = 10
DEMAND = "在期限前补办所列事项，写明原因和防止再犯的办法。"
RIGHT = "rectification.issue_rectification"


class NoticeForm(forms.Form):
    """What a notice demands, of whom, by when."""

    person = forms.ModelChoiceField(Person.objects.none(), label="责任人", required=False)
    demand = forms.CharField(label="要求", initial=DEMAND, widget=forms.Textarea({"rows": 3}))
    days = forms.IntegerField(label="整改期限（工作日）", min_value=1, max_value=120)
    periods = forms.IntegerField(
        label="此后连续达标期数", min_value=1, max_value=12, initial=1, required=False
    )

    def __init__(self, *args: Any, finding: Any, has_periods: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if finding is None:
            del self.fields["person"]
        else:
            people: Any = self.fields["person"]
            people.queryset = Person.objects.everything("同事名录").present().order_by("name")
            people.required = True
        if not has_periods:
            del self.fields["periods"]
        for shown in self.fields.values():
            shown.widget.attrs["class"] = "inp"


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Pick breaches, say what is demanded, send the notices out: one to each person."""
    actor = request.user
    if not table.may_act(actor, RIGHT):
        return refused(request, "你的岗位不发整改通知，请找监督小组")
    finding = _finding(request)
    picked = _picked(request)
    offered = [] if finding else _offered(request, picked)
    chosen = [one for one in offered if one.pk in picked]
    has_periods = any(one.rule.kind == "CADENCE" for one in (chosen or offered))
    kind = finding.inspection.kind if finding else ""
    form = NoticeForm(
        request.POST if "go" in request.POST else None,
        initial={"days": DAYS.get(kind, USUAL_DAYS)},
        finding=finding,
        has_periods=has_periods,
    )
    if "go" in request.POST and form.is_valid():
        if finding or chosen:
            try:
                return _send(request, form.cleaned_data, finding, chosen)
            except (door.Refused, door.Denied) as problem:
                form.add_error(None, str(problem))
        else:
            form.add_error(None, "先勾选要整改的义务")
    described = duties.describe(offered, actor)
    lines = [(duty, duty.pk in picked) for duty in described]
    context = {"form": form, "finding": finding, "lines": lines, "picked": len(chosen)}
    return render(request, "site/supervision_new.html", context)


def _finding(request: HttpRequest) -> Any:
    given = request.POST.get("finding") or request.GET.get("finding") or ""
    if not given.isdecimal():
        return None
    seen = Finding.objects.seen_by(request.user).present().select_related("inspection")
    found = seen.filter(pk=int(given[:18])).first()
    if found is None:
        raise Http404("没有这条检查结果，或不在你的范围内")
    return found


def _picked(request: HttpRequest) -> set[int]:
    given = [*request.POST.getlist("pick"), *request.GET.getlist("pick")]
    return {int(one) for one in given if one.isdecimal() and len(one) <= 18}


def _offered(request: HttpRequest, picked: set[int]) -> list[Obligation]:
    """The picked duties; with nothing picked the latest breaches, of one clause or person if the
    address names them."""
    rows = Obligation.objects.seen_by(request.user).filter(person__isnull=False)
    if picked:
        rows = rows.filter(pk__in=picked)
    else:
        rows = rows.filter(state="BREACHED", rule__is_shadow=False)
        rows = rows.exclude(subject_type="rectification")
        if clause := request.GET.get("clause"):
            rows = rows.filter(rule__clause__number=clause)
        if (person := request.GET.get("person", "")).isdecimal():
            rows = rows.filter(person=int(person[:18]))
    return list(rows.select_related("rule__clause", "person").order_by("-due_at")[:MOST])


def _send(
    request: HttpRequest, said: dict[str, Any], finding: Any, chosen: list[Obligation]
) -> HttpResponse:
    groups: dict[int, list[Obligation]] = {}
    for one in chosen:
        groups.setdefault(int(one.person_id or 0), []).append(one)
    if finding:
        groups = {said["person"].pk: []}
    is_draft = request.POST.get("go") == "draft"
    with door.acting(by=request.user, action="issue_rectification") as deed:
        made = [_one(deed, person, group, said, finding) for person, group in groups.items()]
        if not is_draft:
            made = [door.act("issue_rectification", one, by=request.user) for one in made]
    word = "已存草稿" if is_draft else "已发整改通知"
    messages.success(request, f"{word} {len(made)} 份")
    return redirect(f"/supervision/{made[0].pk}")


def _one(
    deed: door.Deed, person: int, group: list[Obligation], said: dict[str, Any], finding: Any
) -> Rectification:
    has_periods = any(one.rule.kind == "CADENCE" for one in group)
    periods = (said.get("periods") or 1) if has_periods else 0
    return actions.draft(
        deed,
        {
            "finding": finding,
            "obligations": [one.pk for one in group],
            "person_id": person,
            "demand": said["demand"],
            "periods": periods,
            "due_at": due_at(deed.at, said["days"], group, periods),
        },
    )


def due_at(at: datetime, days: int, group: Iterable[Obligation], periods: int) -> datetime:
    """The end of the last working day given; later where the periods to be measured end later."""
    day = calendar.stored().add(spans.day_of(at), days)
    asked = spans.midnight(day + timedelta(days=1))
    return max(asked, measure.earliest(group, max(1, periods), at) or asked)
