"""Leads on the board: lanes before the first stage of opportunities, from which they become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Case, Count, F, OuterRef, Subquery, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from fangyuan import door
from fangyuan.access import table
from fangyuan.customers.models import Lead
from fangyuan.desk import declare, replies, undo
from fangyuan.opportunities.models import Stage
from fangyuan.org.models import Holding

CARDS: Final = 8
LIVING: Final = ("NEW", "NURTURE", "MQL", "ASSIGNED", "SQL", "PROSPECT")
# The step by which a lead that is not ripe yet comes nearer.
NEXT: Final = {
    "NEW": "mark_mql", "NURTURE": "mark_mql", "MQL": "assign_lead", "ASSIGNED": "qualify_lead",
}  # fmt: skip
RIPE: Final = ("SQL", "PROSPECT")  # from which a lead may become an opportunity


def lanes(every: Sequence[Stage], actor: Any) -> list[dict[str, Any]]:
    """The lanes of leads of a pipeline with their first cards, the ripest first; one query."""
    stages = [s for s in every if s.owner_record == "LEAD"]
    if not stages or not table.may(actor, "lead", "r"):
        return []
    pipeline = stages[0].pipeline_id
    found = _first(actor, pipeline)
    opens = next((s for s in every if s.is_creating), None)
    return [
        {
            "stage": stage,
            "count": sum(number for is_mine, number in _counts(found) if is_mine in mine),
            "cards": [{"row": one, "opens": opens} for one in found if one.is_begun in mine],
            "list_url": f"/lead/?pipeline={pipeline.partition(':')[2]}",
        }
        for place, stage in enumerate(stages)
        for mine in [{False, True} if len(stages) == 1 else {place > 0}]
    ]


def _first(actor: Any, pipeline: str) -> list[Any]:
    """The ripest leads of both halves of a pipeline's first stages, with how many there are."""
    holdings = Holding._base_manager.filter(
        subject_type="lead", subject_id=OuterRef("pk"), role="OWNER", ends_at=None, removed_at=None
    )
    begun = Case(When(stage_two_at=None, then=False), default=True)
    half = {"partition_by": [F("is_begun")]}
    rows = Lead.objects.seen_by(actor).present().filter(
        pipeline_id=pipeline, stage__in=LIVING, pooled_at=None
    )  # fmt: skip
    ranked = rows.annotate(
        is_begun=begun,
        owner=Subquery(holdings.values("person__name")[:1]),
        place=Window(RowNumber(), order_by=["-score", "-pk"], **half),
        number=Window(Count("pk"), **half),
    )
    return list(ranked.filter(place__lte=CARDS).order_by("-score", "-pk"))


def _counts(found: Sequence[Any]) -> set[tuple[bool, int]]:
    return {(one.is_begun, one.number) for one in found}


@require_POST
def move(request: HttpRequest, number: int) -> HttpResponse:
    """Drop a lead on a lane: on the first one of opportunities it is asked what is still to say."""
    seen = Lead.objects.seen_by(request.user).present()
    lead = get_object_or_404(seen, pk=number)
    there = Stage.objects.everything("流程人人可读").present()
    given = request.POST.get("to", "")
    to = there.filter(pk=int(given)).first() if given.isdecimal() else None
    if to is None or to.pipeline_id != lead.pipeline_id:
        return _lacking(request, lead, {"problem": "请拖到同一条流水线里的阶段"})
    if to.is_creating:
        return _opens(request, lead)
    if to.owner_record != "LEAD":
        return _lacking(request, lead, {"problem": "线索先转为商机，再一个阶段一个阶段推进"})
    return _enter(request, lead, to)


def _opens(request: HttpRequest, lead: Any) -> HttpResponse:
    """An opportunity wants its amount and day: they are asked, not guessed."""
    if lead.stage not in RIPE:
        said = f"现在是“{lead.get_stage_display()}”，转销售合格后才能转为商机"
        step = f"/lead/{lead.pk}/do/{NEXT[lead.stage]}"
        return _lacking(request, lead, {"problem": said, "ask": step})
    said = "转为商机还要填预计合同额和预计签约"
    return _lacking(request, lead, {"problem": said, "ask": f"/lead/{lead.pk}/do/to_opportunity"})


def _enter(request: HttpRequest, lead: Any, to: Stage) -> HttpResponse:
    if to.seq == 1:
        return _lacking(request, lead, {"problem": "已进入阶段二的线索不退回阶段一"})
    verb = door.VERBS["lead.enter_stage_two"]
    try:
        result, steps, why_not = undo.act(verb, lead, by=request.user, payload={})
    except door.Refused as refusal:
        return _lacking(request, lead, {"unmet": refusal.unmet})
    except door.Denied as denied:
        return _lacking(request, lead, {"problem": str(denied)})
    token = undo.keep(request.session, steps, timezone.now()) if steps else ""
    said = replies.outcome("移动", result) + (f"，{why_not}" if why_not else "")
    if getattr(request, "htmx", False):
        return replies.toast(HttpResponse(status=204), said, token)
    return replies.done(request, said, f"/pipeline/{lead.pipeline_id.partition(':')[2]}", token)


def _lacking(request: HttpRequest, lead: Any, told: Mapping[str, Any]) -> HttpResponse:
    context = {"record": lead, "desk": declare.desk_of("lead"), **told}
    return render(request, "desk/lacking.html", context, status=422)
