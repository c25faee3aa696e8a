"""The forecast page: what will be signed when, by whom, what changed, how right it was so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import DecimalField, ExpressionWrapper, F, Sum
from django.db.models.functions import TruncMonth, TruncQuarter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import dateparse, timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import spans
from fangyuan.desk import replies
from fangyuan.metrics.models import Target
from fangyuan.opportunities import forecast
from fangyuan.opportunities.models import Opportunity, Snapshot, Stage
from fangyuan.site import forecast_charts

PERS: Final = {"month": "按月", "quarter": "按季"}
SOLD: Final = ("sales_amount", "contract_amount", "won_amount")  # targets of what is to be sold
THIN: Final = 3  # how often what is open should cover what is left of a target
CALIBRATED: Final = timedelta(days=730)
_WEIGHTED: Final = ExpressionWrapper(
    F("amount") * F("win_rate") / 100, output_field=DecimalField(max_digits=18, decimal_places=2)
)


class Look:
    """What the address asks to see: whose figures, by what, which period, since which snapshot."""

    def __init__(self, request: HttpRequest) -> None:
        self.actor, self.today = request.user, timezone.localdate()
        self.given = request.GET
        self.per = self.given.get("per", "month")
        if self.per not in PERS:
            raise Http404(self.per)
        self.all = forecast.forecast(self.actor, self.per, self.today)
        self.node = self._node()
        first = dateparse.parse_date(self.given.get("period", "")) or self.all.periods[0].first
        self.period = next((p for p in self.all.periods if p.first == first), self.all.periods[0])
        self.days = forecast.snapshot_days()
        self.day = self._day()

    def _node(self) -> forecast.Node:
        for kind in ("team", "person"):
            if number := self.given.get(kind, ""):
                found = self.all.nodes.get((kind, int(number))) if number.isdecimal() else None
                if found is None:
                    raise Http404(f"{kind} {number}")
                return found
        return self.all.top

    def _day(self) -> date | None:
        """The snapshot compared with: the one asked for, else the newest of a week ago."""
        asked = dateparse.parse_date(self.given.get("since", ""))
        if asked in self.days:
            return asked
        old = [d for d in self.days if d <= self.today - timedelta(days=6)]
        return old[0] if old else (self.days[-1] if self.days else None)

    @property
    def people(self) -> list[int] | None:
        """Whose deals are meant; None for all that may be seen."""
        return None if self.node is self.all.top else sorted(self.node.people())

    @property
    def way(self) -> list[forecast.Node]:
        """The nodes from the top to the one shown."""
        found = [self.node]
        while found[0] is not self.all.top and found[0].parent in self.all.nodes:
            found.insert(0, self.all.nodes[found[0].parent])  # type: ignore[index]
        return found

    def url(self, node: forecast.Node | None = None, **more: Any) -> str:
        """The address with some of it changed."""
        node = node or self.node
        said: dict[str, Any] = {
            "per": self.per,
            "period": str(self.period.first),
            "since": self.given.get("since"),
        }
        said |= {node.key[0]: node.key[1]} if node is not self.all.top else {}
        said |= {name: str(value) for name, value in more.items()}
        usual = {"per": "month", "period": str(self.all.periods[0].first)}
        kept = {n: v for n, v in said.items() if v and usual.get(n) != v}
        return f"/forecast?{urlencode(kept)}" if kept else "/forecast"


def label(period: spans.Period, today: date) -> str:
    """A period as its tab says it."""
    year = "" if period.first.year == today.year else f"{period.first.year} 年 "
    if period.kind is spans.PeriodKind.QUARTER:
        return f"{year}{(period.first.month + 2) // 3} 季度"
    return f"{year}{period.first.month} 月"


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The rolling forecast: periods ahead, the roll-up of a node, the bridge since a snapshot."""
    if not table.may(request.user, "opportunity", "r"):
        return replies.refused(request, "你的岗位用不到销售预测")
    look = Look(request)
    changed = forecast.bridge(look.actor, look.period, look.day, look.people) if look.day else None
    figures = look.node.of(str(look.period.first))
    context = {
        "look": look,
        "way": [{"label": n.label, "url": look.url(n)} for n in look.way],
        "pers": [{"label": said, "url": look.url(per=per, period=""), "current": per == look.per}
                 for per, said in PERS.items()],
        "periods": _periods(look),
        "period_label": label(look.period, look.today),
        "figures": figures,
        "expected": look.all.expected(look.node, look.period.first),
        "adjusted": look.all.adjusted.get((look.node.key, look.period.first)),
        "rows": _rows(look),
        "loose": _loose(look),
        "goal": _goal(look, figures),
        "bridge": changed,
        "chart": forecast_charts.bridge(changed) if changed else None,
        "changes": _changes(changed.changes) if changed else [],
        "more": changed.number - len(changed.changes) if changed else 0,
        "days": [{"day": d, "url": look.url(since=d), "current": d == look.day} for d in look.days],
        "may_adjust": look.per == "month" and table.may(look.actor, "adjustment", "c"),
    }  # fmt: skip
    return render(request, "site/forecast.html", context)


def _goal(look: Look, figures: forecast.Figures) -> dict[str, Any] | None:
    """The target of whoever is shown, and how far what is open covers what is left of it."""
    period = look.period
    rows = (
        Target.objects.seen_by(look.actor)
        .present()
        .filter(
            metric__in=SOLD,
            subject_type=look.node.key[0],
            subject_id=look.node.key[1],
            starts_on=period.first,
            ends_on=period.after,
            tier=Target.Tier.BASE,
        )
    )
    target = rows.order_by("-version").first()
    if target is None:
        return None
    left = target.value - figures.amounts.get("WON", Decimal(0))
    cover = figures.still_open / left if left > 0 else None
    return {
        "value": target.value,
        "left": max(left, Decimal(0)),
        "cover": f"{cover:.1f}" if cover is not None else "",
        "is_thin": cover is not None and cover < THIN,
    }


def _periods(look: Look) -> list[dict[str, Any]]:
    """Each period ahead: what is weighed in it now, and what was at the snapshot."""
    then = _then(look)
    most = max((look.node.of(str(p.first)).weighted for p in look.all.periods), default=Decimal(0))
    return [
        {
            "label": label(one, look.today),
            "url": look.url(period=one.first),
            "current": one.first == look.period.first,
            "figures": (mine := look.node.of(str(one.first))),
            "was": (was := then.get(one.first)),
            "moved": mine.weighted - mine.amounts.get("WON", Decimal(0)) - was
            if was is not None
            else None,
            "share": int(100 * mine.weighted / most) if most else 0,
        }
        for one in look.all.periods
    ]


def _then(look: Look) -> dict[date, Decimal]:
    """What the snapshot weighed for each period, as far as it may be seen."""
    if look.day is None:
        return {}
    cut = TruncMonth if look.per == "month" else TruncQuarter
    rows = Snapshot.objects.seen_by(look.actor).filter(taken_on=look.day)
    rows = rows.exclude(forecast=Opportunity.Forecast.OMITTED).order_by()
    if look.people is not None:
        rows = rows.filter(person__in=look.people)
    told = rows.annotate(first=cut("expected_on")).values("first").annotate(w=Sum(_WEIGHTED))
    known = {one["first"]: one["w"] or Decimal(0) for one in told}
    return {p.first: known.get(p.first, Decimal(0)) for p in look.all.periods}


def _rows(look: Look) -> list[dict[str, Any]]:
    """The nodes right below, those with most expected first."""
    first = look.period.first
    lines = [
        {
            "node": one,
            "url": look.url(one),
            "figures": one.of(str(first)),
            "expected": look.all.expected(one, first),
            "adjusted": look.all.adjusted.get((one.key, first)),
            "deals": _deals(look, one),
            "is_team": one.key[0] == "team",
        }
        for one in look.node.below or [look.node]
    ]
    return sorted(lines, key=lambda line: (-line["expected"], line["node"].label))


def _deals(look: Look, node: forecast.Node) -> str:
    """The list of a person's open deals of the period; the very rows that are counted."""
    if node.key[0] == "team" or not node.key[1]:
        return ""
    said = {
        "outcome": "OPEN",
        "owner": node.key[1],
        "expected_on": f"{look.period.first}..{look.period.last}",
    }
    return f"/opportunity/?{urlencode(said)}"


def _loose(look: Look) -> list[dict[str, Any]]:
    """What stands in no period: a day that passed, or none at all."""
    said = {forecast.LATE: "预计日已过", forecast.UNDATED: "没有预计日"}
    before = look.all.periods[0].first - timedelta(days=1)
    wheres = {forecast.LATE: f"..{before}", forecast.UNDATED: "none"}
    return [
        {
            "label": words,
            "figures": figures,
            "url": f"/opportunity/?{urlencode({'outcome': 'OPEN', 'expected_on': wheres[name]})}",
        }
        for name, words in said.items()
        if (figures := look.node.of(name)).number
    ]


def _changes(changes: Sequence[forecast.Change]) -> list[dict[str, Any]]:
    rows = Opportunity.objects.everything("变动的商机都在范围内").select_related("customer")
    known = rows.defer("grams").in_bulk([c.number for c in changes])
    return [
        {"change": c, "kind": forecast.KINDS[c.kind], "deal": known[c.number]}
        for c in changes
        if c.number in known
    ]


@require_safe
def accuracy(request: HttpRequest) -> HttpResponse:
    """How near the months' first forecasts came, and whether the stages' chances are true."""
    if not table.may(request.user, "opportunity", "r"):
        return replies.refused(request, "你的岗位用不到销售预测")
    look = Look(request)
    own = look.people if look.people is not None else [look.actor.pk]
    found = forecast.months(look.actor, look.today, look.people)
    context = {
        "look": look,
        "way": [{"label": n.label, "url": _there(look.url(n))} for n in look.way],
        "below": [{"label": n.label, "url": _there(look.url(n))} for n in look.node.below],
        "months": [
            {
                "month": one,
                "weighted": one.right(one.weighted),
                "commit": one.right(one.commit),
                "best": one.right(one.best),
                "is_running": one.first == look.today.replace(day=1),
            }
            for one in reversed(found)
        ],
        "chart": forecast_charts.accuracy(found),
        "pipelines": _calibrated(look, own),
        "whose": look.node.label if look.people is not None else "我",
        "since": look.today - CALIBRATED,
    }
    return render(request, "site/forecast_accuracy.html", context)


def _there(url: str) -> str:
    return url.replace("/forecast", "/forecast/accuracy", 1)


def _calibrated(look: Look, own: Sequence[int]) -> list[dict[str, Any]]:
    """Each pipeline with its stages: the chance set for it, and how it went."""
    known = forecast.odds(look.actor, look.today - CALIBRATED, own)
    rows = Stage.objects.everything("流程人人可读").present().filter(owner_record="OPPORTUNITY")
    lines: dict[str, list[dict[str, Any]]] = {}
    for stage in rows.select_related("pipeline").order_by("pipeline__rank", "pipeline", "seq"):
        told = known.get(stage.pk)
        if told is None or not told.ended:
            continue
        gap = None if stage.win_rate is None else round(100 * (told.rate or 0)) - stage.win_rate
        line = {"stage": stage, "odds": told, "gap": gap}
        lines.setdefault(stage.pipeline.label, []).append(line)
    return [{"label": name, "lines": found} for name, found in lines.items()]
