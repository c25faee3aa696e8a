"""The board of one pipeline: a lane for each stage; each card tells how much of its exit is met.

Before the stages of opportunities stand those of leads. A lane shows its first cards and fetches
more when asked; its count and sums come from one grouped query over the index of lanes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import dateparse, timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import facts
from fangyuan.core.models import Term
from fangyuan.desk import columns, declare, pages, replies, rows, undo
from fangyuan.desk.filters import BadQuery
from fangyuan.opportunities import board_leads, exits
from fangyuan.opportunities.models import Opportunity, Stage

CARDS: Final = 8
STALLED: Final = timedelta(days=14)
WEIGHTED: Final = ExpressionWrapper(
    F("amount") * F("win_rate") / 100, output_field=DecimalField(max_digits=18, decimal_places=2)
)
ORDER: Final = (F("expected_on").asc(nulls_last=True), "-pk")
# What a card shows; the many notes of an opportunity are not read for it.
SHOWN: Final = ("name", "customer", "pipeline", "stage", "amount", "expected_on", "outcome")


@dataclass
class Card:
    """One opportunity on the board."""

    row: Any
    customer: columns.Cell
    owner: columns.Cell
    exits: list[exits.Exit]
    stalled: int
    nexts: list[tuple[int, str]]

    @property
    def met(self) -> int:
        """How many exit conditions are met."""
        return sum(one.is_met for one in self.exits)

    @property
    def share(self) -> int:
        """The same in per cent, where there are too many to show one by one."""
        return round(100 * self.met / len(self.exits)) if self.exits else 0


def pipelines(every: Sequence[Stage]) -> list[Term]:
    """The pipelines in use that have stages, in the vocabulary's order."""
    found = {stage.pipeline_id: stage.pipeline for stage in every if stage.pipeline.active}
    return list(found.values())


def legible(view: replies.View) -> replies.View:
    """Have a view say what of its address means nothing."""

    @functools.wraps(view)
    def inner(request: HttpRequest, *given: Any, **more: Any) -> HttpResponse:
        try:
            return view(request, *given, **more)
        except BadQuery as bad:
            return render(request, "400.html", {"exception": bad}, status=400)

    return inner


@require_safe
@legible
def board(request: HttpRequest, code: str = "") -> HttpResponse:
    """The lanes of a pipeline with their first cards; the list's conditions narrow it too."""
    actor = request.user
    if not table.may(actor, "opportunity", "r"):
        raise PermissionDenied
    all_stages = exits.all_stages()
    lines = pipelines(all_stages)
    chosen = next((one for one in lines if one.code == code), None)
    if chosen is None:
        if code or not lines:
            raise Http404(code)
        return redirect(f"/pipeline/{_first(actor, lines).code}")
    desk = declare.desk_of("opportunity")
    query = pages.read(request.GET, desk)
    every = [s for s in all_stages if s.pipeline_id == chosen.key]
    stages = [s for s in every if s.owner_record == "OPPORTUNITY"]
    open_here = rows.found(desk, query, actor, timezone.now()).filter(
        outcome="OPEN", stage__in=stages
    )
    sums = _sums(open_here)
    leads = [] if query.chosen or query.words else board_leads.lanes(every, actor)
    context = {
        "lines": lines,
        "chosen": chosen,
        "leads": leads,
        "lanes": _lanes(open_here, all_stages, stages, sums, query, actor),
        "total": sum((s["total"] or 0 for s in sums.values()), Decimal(0)),
        "weighted": sum((s["weighted"] or 0 for s in sums.values()), Decimal(0)),
        "count": sum(s["n"] for s in sums.values()),
        "chips": pages.chips(desk, query, actor, f"/pipeline/{chosen.code}"),
        "may_create": table.may(actor, "opportunity", "c"),
    }
    return render(request, "opportunities/board.html", context)


def _first(actor: Any, lines: Sequence[Term]) -> Term:
    """The pipeline in which the actor has most to do."""
    mine = Opportunity.objects.seen_by(actor).present().filter(outcome="OPEN").order_by()
    counts = dict(mine.values_list("pipeline_id").annotate(n=Count("pk")))
    return max(lines, key=lambda one: counts.get(one.key, 0))


def _sums(open_here: Any) -> dict[int, dict[str, Any]]:
    """How many stand in each stage, for how much, and how much of that may be expected."""
    told = (
        open_here.order_by()
        .values("stage_id")
        .annotate(n=Count("pk"), total=Sum("amount"), weighted=Sum(WEIGHTED))
    )
    return {one["stage_id"]: one for one in told}


def _lanes(  # noqa: PLR0913 - what the view gathered
    open_here: Any,
    every: Sequence[Stage],
    stages: Sequence[Stage],
    sums: Mapping[int, dict[str, Any]],
    query: Any,
    actor: Any,
) -> list[dict[str, Any]]:
    """The lanes with their first cards, all in one query."""
    heads = [
        open_here.filter(stage=stage).order_by(*ORDER).values("pk")[:CARDS]
        for stage in stages
        if stage.pk in sums
    ]
    found: list[int] = []
    if heads:
        numbers = heads[0].union(*heads[1:], all=True) if len(heads) > 1 else heads[0]
        found = [one["pk"] for one in numbers]
    cards = _cards(found, every, actor)
    return [
        {
            "stage": stage,
            "count": sums.get(stage.pk, {}).get("n", 0),
            "total": sums.get(stage.pk, {}).get("total"),
            "cards": (mine := cards.get(stage.pk, [])),
            "more": _further(stage, mine, sums.get(stage.pk, {}).get("n", 0), query),
        }
        for stage in stages
    ]


def _further(stage: Stage, cards: Sequence[Card], left: int, query: Any) -> str:
    """The address of the cards after these, if there are any."""
    if not cards or left <= len(cards):
        return ""
    last = cards[-1].row
    return query.url(f"/pipeline/lane/{stage.pk}", after=f"{last.expected_on or ''}_{last.pk}")


@require_safe
@legible
def lane(request: HttpRequest, number: int) -> HttpResponse:
    """Further cards of one lane, after the last one shown; without scripts the list takes over."""
    actor, desk = request.user, declare.desk_of("opportunity")
    if not table.may(actor, "opportunity", "r"):
        raise PermissionDenied
    there = Stage.objects.everything("流程人人可读").present()
    stage = get_object_or_404(
        there.select_related("pipeline").filter(owner_record="OPPORTUNITY"), pk=number
    )
    if not getattr(request, "htmx", False):
        return redirect(f"/opportunity/?outcome=OPEN&stage={stage.pk}&sort=expected_on")
    query = pages.read(request.GET, desk)
    open_here = rows.found(desk, query, actor, timezone.now()).filter(outcome="OPEN", stage=stage)
    after = open_here.filter(_beyond(query.after)).order_by(*ORDER)
    numbers = list(after.values_list("pk", flat=True)[: CARDS + 1])
    cards = _cards(numbers[:CARDS], exits.all_stages(), actor).get(stage.pk, [])
    context = {"cards": cards, "more": _further(stage, cards, len(numbers), query)}
    context["chosen"] = stage.pipeline
    return render(request, "opportunities/lane.html", context)


def _beyond(after: str) -> Q:
    """The cards after the one that an address names, in the order of a lane."""
    day, _, number = after.partition("_")
    on = dateparse.parse_date(day) if day else None
    if not number.isdecimal() or (day and on is None):
        raise BadQuery("看板的位置认不出，请从头打开看板")
    if on is None:
        return Q(expected_on=None, pk__lt=int(number))
    later = Q(expected_on__gt=on) | Q(expected_on=None)
    return later | Q(expected_on=on, pk__lt=int(number))


def _cards(numbers: Sequence[int], every: Sequence[Stage], actor: Any) -> dict[int, list[Card]]:
    """These opportunities as cards, by stage, those with the nearest signing first."""
    rows = Opportunity.objects.everything("在范围内").filter(pk__any_of=list(numbers)).only(*SHOWN)
    found = list(facts.annotate(rows, ["stage_at"]).order_by(*ORDER))
    if not found:
        return {}
    facade = columns.Facade(found, actor, scopes.veil(actor, found))
    facade.ask(found, ["customer"])
    owner, now = columns.Owner(), timezone.now()
    owner.load(found, facade, now)
    facade.labels.load()
    told, lanes = exits.of(found, every), dict[int, list[Card]]()
    for row in found:
        stalled = now - (row.fact_stage_at or now)
        card = Card(
            row,
            facade.cell(row, "customer"),
            owner.cell(row, facade),
            told.get(row.pk, []),
            stalled.days if stalled >= STALLED else 0,
            _nexts(row, every),
        )
        lanes.setdefault(row.stage_id, []).append(card)
    return lanes


def _nexts(row: Any, every: Sequence[Stage]) -> list[tuple[int, str]]:
    """The lanes to which the card may be moved: the next and the one before."""
    here = next((s for s in every if s.pk == row.stage_id), None)
    if here is None:
        return []
    return [
        (stage.pk, str(stage))
        for step in (1, -1)
        for stage in every
        if stage.pipeline_id == here.pipeline_id
        and stage.seq == here.seq + step
        and stage.owner_record == here.owner_record
    ]


@require_safe
def contacts(request: HttpRequest, number: int) -> HttpResponse:
    """To where the customer's people are entered, with their parts in the decision."""
    seen = Opportunity.objects.seen_by(request.user).present()
    found = get_object_or_404(seen.only("customer"), pk=number)
    return redirect(f"/contact/?customer={found.customer_id}")


@require_POST
def move(request: HttpRequest, number: int) -> HttpResponse:
    """Move a card to another lane; what is lacking is told in the lane it was dropped on."""
    seen = Opportunity.objects.seen_by(request.user).present()
    found = get_object_or_404(seen.select_related("stage"), pk=number)
    there = Stage.objects.everything("流程人人可读").present()
    given = request.POST.get("to", "")
    to = there.filter(pk=int(given)).first() if given.isdecimal() else None
    try:
        verb = door.VERBS["opportunity.move_opportunity"]
        result, steps, why_not = undo.act(verb, found, by=request.user, payload={"stage": to})
    except door.Refused as refusal:
        return _lacking(request, found, {"unmet": refusal.unmet})
    except door.Denied as denied:
        return _lacking(request, found, {"problem": str(denied)})
    token = undo.keep(request.session, steps, timezone.now()) if steps else ""
    said = replies.outcome("移动", result) + (f"，{why_not}" if why_not else "")
    if getattr(request, "htmx", False):
        return replies.toast(HttpResponse(status=204), said, token)
    return replies.done(request, said, f"/pipeline/{found.pipeline.code}", token)


def _lacking(request: HttpRequest, found: Any, told: Mapping[str, Any]) -> HttpResponse:
    context = {"record": found, "desk": declare.desk_of("opportunity"), **told}
    return render(request, "desk/lacking.html", context, status=422)
