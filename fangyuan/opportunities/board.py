"""The board of one pipeline: a lane for each stage; each card tells how much of its exit is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core.models import Term
from fangyuan.desk import columns, declare, pages, replies, rows, undo
from fangyuan.opportunities import exits, moving
from fangyuan.opportunities.models import Opportunity, Stage, StageEntry

CARDS: Final = 20
STALLED: Final = timedelta(days=14)
WEIGHTED: Final = ExpressionWrapper(
    F("amount") * F("win_rate") / 100, output_field=DecimalField(max_digits=18, decimal_places=2)
)


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


def pipelines() -> list[Term]:
    """The pipelines that have stages, in the vocabulary's order."""
    with_stages = Stage.objects.everything("流程人人可读").present().values("pipeline_id")
    known = Term.objects.everything("流程人人可读").filter(key__in=with_stages, active=True)
    return list(known.order_by("rank", "code"))


@require_safe
def board(request: HttpRequest, code: str = "") -> HttpResponse:
    """The lanes of a pipeline with their first cards; the list's conditions narrow it too."""
    actor = request.user
    if not table.may(actor, "opportunity", "r"):
        raise PermissionDenied
    lines = pipelines()
    chosen = next((one for one in lines if one.code == code), None)
    if chosen is None:
        if code or not lines:
            raise Http404(code)
        return redirect(f"/pipeline/{_first(actor, lines).code}")
    desk, now = declare.desk_of("opportunity"), timezone.now()
    query = pages.read(request.GET, desk)
    open_here = rows.found(desk, query, actor, now).filter(pipeline_id=chosen.key, outcome="OPEN")
    stages = [s for s in moving.stages(chosen.key) if s.owner_record == "OPPORTUNITY"]
    sums = _sums(open_here)
    cards = _cards(open_here, stages, actor)
    lanes = [
        {
            "stage": stage,
            "count": sums.get(stage.pk, {}).get("n", 0),
            "total": sums.get(stage.pk, {}).get("total"),
            "cards": cards.get(stage.pk, []),
            "more": max(0, sums.get(stage.pk, {}).get("n", 0) - CARDS),
            "list_url": f"/opportunity/?outcome=OPEN&stage={stage.pk}",
        }
        for stage in stages
    ]
    context = {
        "lines": lines,
        "chosen": chosen,
        "lanes": lanes,
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


def _cards(open_here: Any, stages: Sequence[Stage], actor: Any) -> dict[int, list[Card]]:
    """The first cards of every lane, those with the nearest signing first."""
    heads = [
        open_here.filter(stage=stage).order_by(F("expected_on").asc(nulls_last=True), "-pk")
        .values("pk")[:CARDS]
        for stage in stages
    ]  # fmt: skip
    if not heads:
        return {}
    numbers = [one["pk"] for one in heads[0].union(*heads[1:], all=True)]
    found = list(
        Opportunity.objects.everything("在范围内")
        .filter(pk__any_of=numbers)
        .select_related("stage")
        .order_by(F("expected_on").asc(nulls_last=True), "-pk")
    )
    facade = columns.Facade(found, actor, scopes.veil(actor, found))
    facade.ask(found, ["customer"])
    owner = columns.Owner()
    owner.load(found, facade, timezone.now())
    facade.labels.load()
    told, since = exits.of(found), _since(numbers)
    lanes: dict[int, list[Card]] = {}
    for row in found:
        stalled = timezone.now() - since.get(row.pk, timezone.now())
        card = Card(
            row,
            facade.cell(row, "customer"),
            owner.cell(row, facade),
            told.get(row.pk, []),
            stalled.days if stalled >= STALLED else 0,
            _nexts(row, stages),
        )
        lanes.setdefault(row.stage_id, []).append(card)
    return lanes


def _since(numbers: Sequence[int]) -> dict[int, Any]:
    """Since when each stands in its stage."""
    rows = StageEntry.objects.everything("在范围内").present().filter(left_at=None)
    mine = rows.filter(subject_type="opportunity", subject_id__in=numbers)
    return dict(mine.values_list("subject_id", "entered_at"))


def _nexts(row: Any, stages: Sequence[Stage]) -> list[tuple[int, str]]:
    """The lanes to which the card may be moved: the next and the one before."""
    place = next((n for n, s in enumerate(stages) if s.pk == row.stage_id), None)
    if place is None:
        return []
    near = [stages[n] for n in (place + 1, place - 1) if 0 <= n < len(stages)]
    return [(stage.pk, str(stage)) for stage in near]


@require_POST
def move(request: HttpRequest, number: int) -> HttpResponse:
    """Move a card to another lane; what is lacking is told in the lane it was dropped on."""
    seen = Opportunity.objects.seen_by(request.user).present()
    found = get_object_or_404(seen.select_related("stage"), pk=number)
    there = Stage.objects.everything("流程人人可读").present()
    to = there.filter(pk=request.POST.get("to") or 0).first()
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
