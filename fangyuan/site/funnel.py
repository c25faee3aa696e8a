"""The funnel of a pipeline: what came into each stage, went on, stayed how long, is in it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import spans
from fangyuan.core.models import Term
from fangyuan.desk import replies
from fangyuan.metrics import drill, measure, periods
from fangyuan.metrics.declare import METRICS
from fangyuan.opportunities import metrics
from fangyuan.opportunities.models import Stage
from fangyuan.site import display
from fangyuan.site import metric_shapes as shapes

CROWDED: Final = 0.5  # from this part of all open opportunities a stage is said to hold them up
DEFAULT: Final = "s1s7"


@dataclass
class Step:
    """One stage of the funnel."""

    stage: Stage
    entered: int = 0
    moved: int = 0
    days: float | None = None
    open: int = 0
    amount: Any = 0
    share: float | None = None
    width: float = 0
    entered_url: str = ""
    moved_url: str = ""
    open_url: str = ""

    @property
    def rate(self) -> float | None:
        """Which part of what came in went on; the last stage leads nowhere."""
        return None if self.stage.is_closing else measure.share(self.moved, self.entered)

    @property
    def is_crowded(self) -> bool:
        """Whether most of what is open stands here."""
        return self.share is not None and self.share >= CROWDED


@require_safe
def funnel(request: HttpRequest) -> HttpResponse:
    """The page; `pipeline` and `length` with `day` choose what is looked at."""
    conversion = metrics.opportunity_stage_conversion
    if not measure.is_shown(conversion, request.user):
        return replies.refused(request, "商机不在你的权限内")
    pipelines = list(_pipelines())
    code = request.GET.get("pipeline", DEFAULT)
    chosen = next((one for one in pipelines if one.code == code), pipelines[0])
    length = request.GET.get("length", "")
    kind = length if length in shapes.LENGTHS else "quarter"
    period = spans.period_of(kind, _day(request))
    steps = _steps(request.user, chosen, shapes.span_of(period))
    context = {
        "pipelines": pipelines,
        "pipeline": chosen,
        "steps": steps,
        "period": periods.say(period),
        "length": kind,
        "lengths": shapes.LENGTHS,
        "day": period.first,
        "earlier": period.previous().first,
        "later": period.next().first if period.after <= timezone.localdate() else None,
        "won": shapes.told(_won(request.user, chosen, shapes.span_of(period)), "%"),
        "open": sum(one.open for one in steps),
        "amount": sum(one.amount for one in steps),
        "crowded": [one for one in steps if one.is_crowded],
        "decide": _decide(chosen, steps) if table.may(request.user, "task", "c") else "",
    }
    return render(request, "site/funnel.html", context)


def _decide(pipeline: Any, steps: list[Step]) -> str:
    """Where a change of strategy is noted, with the funnel as it stands (PA-15.2)."""
    told = [f"{one.stage.code} {one.open} 个 ¥{display.money(one.amount)}" for one in steps]
    snapshot = f"{timezone.localtime():%Y-%m-%d %H:%M} 的{pipeline.label}漏斗：{'；'.join(told)}"
    given = {"kind": "TEAM", "title": f"{pipeline.label}策略调整", "measures": snapshot}
    return f"/task/new?{urlencode(given)}"


def _day(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return timezone.localdate()


def _pipelines() -> Any:
    rows = Term.objects.everything("流水线人人可读").present()
    return rows.filter(domain="pipeline", active=True).order_by("rank", "id")


def _won(actor: Any, pipeline: Any, span: measure.Span) -> Any:
    here = Q(pipeline_id=pipeline.key)
    return measure.measure(metrics.win_rate, actor=actor, span=span, where=here)[()]


def _steps(actor: Any, pipeline: Any, span: measure.Span) -> list[Step]:
    rows = Stage.objects.everything("阶段人人可读").present().filter(pipeline_id=pipeline.key)
    stages = rows.filter(owner_record=Stage.Carrier.OPPORTUNITY).order_by("seq")
    steps = {stage.pk: Step(stage) for stage in stages}
    here = Q(stage_id__in=list(steps))
    _fill(steps, actor, span, here)
    total, most = (
        sum(one.open for one in steps.values()),
        max([one.entered for one in steps.values()], default=0),
    )
    for one in steps.values():
        one.share = measure.share(one.open, total)
        one.width = 100 * one.entered / most if most else 0
        _link(one, span)
    return list(steps.values())


def _fill(steps: dict[int, Step], actor: Any, span: measure.Span, here: Q) -> None:
    """The numbers of every stage, in three queries."""
    told = metrics.opportunity_stage_conversion
    by: dict[str, Any] = {"actor": actor, "span": span, "by": ["stage"], "where": here}
    for (stage,), (moved, entered) in measure.measure_all((told.over, told.under), **by).items():
        steps[stage].moved, steps[stage].entered = moved, entered
    for (stage,), days in measure.measure(metrics.stage_velocity_days, **by).items():
        steps[stage].days = days
    standing = (METRICS["open_count"], METRICS["open_amount"])
    for (stage,), (number, amount) in measure.measure_all(standing, **by).items():
        steps[stage].open, steps[stage].amount = number, amount


def _link(one: Step, span: measure.Span) -> None:
    told, key = metrics.opportunity_stage_conversion, str(one.stage.pk)
    one.entered_url = drill.Count(told, "under", span, "stage", key).url
    one.moved_url = drill.Count(told, "over", span, "stage", key).url
    one.open_url = drill.Count(METRICS["open_count"], "rows", None, "stage", key).url
