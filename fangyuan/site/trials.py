"""The page of a replay: both sides in numbers, who and what would change, down to the rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from fangyuan.core import records, spans
from fangyuan.desk import duties
from fangyuan.engine.models import Replay, State
from fangyuan.engine.revision import drafts
from fangyuan.org.models import Person
from fangyuan.site import drafting

ROWS = 30
MOST_PEOPLE = 12
STATES = {code.lower(): str(label) for code, label in State.choices}
SIDES = ("before", "after")


@require_safe
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; while it runs a fragment that asks again."""
    rows = Replay.objects.everything("试算页").select_related("policy", "team", "asked_by")
    one = rows.filter(pk=pk).first()
    if one is None or not drafting.may_see(request.user, one.policy):
        raise Http404("没有这次试算")
    context: dict[str, Any] = {"replay": one, "policy": one.policy}
    if one.stage == "DONE":
        context |= shown(one, request)
        context["is_stale"] = one.seal != drafts.seal(one.policy)
    page = "site/replay_progress.html" if getattr(request, "htmx", None) else "site/replay.html"
    if getattr(request, "htmx", None) and one.stage in ("DONE", "FAILED"):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return render(request, page, context)


def shown(one: Replay, request: HttpRequest) -> dict[str, Any]:
    """A finished replay as the page shows it."""
    result = one.result
    most = max([1, *(p["missed_after"] for p in result["people"])])
    people = result["people"][:MOST_PEOPLE]
    return {
        "result": result,
        "totals": _totals(result),
        "hours": _hours(result),
        "curve": _curve(result["curve"]),
        "people": [
            {
                **person,
                "percent": 100 * person["missed_after"] / most,
                "percent_before": 100 * person["missed_before"] / most,
            }
            for person in people
        ],
        "rest": _rest(result["people"][MOST_PEOPLE:]),
        "tiers": [one for one in result["ka_tier"] if one["code"]] or result["grade"],
        **_cases(result, request),
    }


def _totals(result: dict[str, Any]) -> list[dict[str, Any]]:
    before, after, work = result["before"], result["after"], result["workload"]
    rows = [("义务", before["duties"], after["duties"])]
    rows += [("违规与迟办", before["missed"], after["missed"])]
    rows += [("涉及人数", work["missing_before"], work["missing_after"])]
    found = [
        {"label": label, "before": a, "after": b, "more": f"{b - a:+d}" if b != a else "0"}
        for label, a, b in rows
    ]
    rates = [before["rate"], after["rate"]]
    more = f"{100 * (rates[1] - rates[0]):+.1f}" if None not in rates else "–"
    said = [f"{100 * rate:.1f}%" if rate is not None else "–" for rate in rates]
    return [{"label": "守规率", "before": said[0], "after": said[1], "more": more}, *found]


def _rest(people: list[dict[str, Any]]) -> dict[str, int]:
    return {"people": len(people), "caught": sum(person["caught"] for person in people)}


def _hours(result: dict[str, Any]) -> dict[str, Any] | None:
    """How long it took, as bars; only for one rule whose span is counted in hours."""
    told = [one for one in result["clauses"] if one["hours"]]
    if len(told) != 1 or len(result["clauses"]) != 1:
        return None
    counts = told[0]["hours"]
    points = {p["value"]: p for p in result["curve"] if p["parameter"] == "within"}
    draft = next((value for value, p in points.items() if p["is_draft"]), "")
    limit = _in_hours(draft)
    most, step = max([1, *counts]), 380 / len(counts)
    bars = [
        {
            "x": round(6 + step * hour, 1),
            "y": round(206 - 170 * number / most, 1),
            "width": round(max(step - 1.5, 0.8), 1),
            "height": round(170 * number / most, 1),
            "tone": "navy" if limit is None or hour < limit else "soon",
            "title": f"第 {hour + 1} 小时 {number} 件",
        }
        for hour, number in enumerate(counts)
        if number
    ]
    every = max(len(counts) // 6, 1)
    labels = [(round(6 + step * hour, 1), hour) for hour in range(0, len(counts), every)]
    mark = round(6 + step * limit, 1) if limit is not None and limit <= len(counts) else None
    return {"bars": bars, "labels": labels, "mark": mark, "limit": limit}


def _in_hours(value: str) -> int | None:
    if not value:
        return None
    span = spans.parse(value)
    return int(span.exact.total_seconds() // 3600) if span.is_exact else None


def _curve(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max([1, *(point["missed"] for point in points)])
    return [
        {**point, "label": _value(point), "percent": 100 * point["missed"] / most}
        for point in points
    ]


def _value(point: dict[str, Any]) -> str:
    if point["parameter"] == "within":
        return spans.parse(point["value"]).label
    return f"每期 {point['value']} 次"


def _cases(result: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """The rows that would change, of one person, team member or clause if one is chosen."""
    chosen = request.GET.get("person", "")
    cases = [
        case
        for case in result["cases"]
        if not chosen or str(case["person_id"] or case["was_person_id"]) == chosen
    ]
    shown = cases[:ROWS]
    pointers = [_Pointer(case["record"], case["subject_id"]) for case in shown]
    names = duties.subject_names(pointers, request.user)
    numbers = {case["person_id"] or case["was_person_id"] for case in shown} - {None}
    people = Person.objects.everything("试算页").in_bulk(numbers)
    return {
        "cases": [
            {
                **case,
                "subject": names.get(pointer.subject, ""),
                "noun": records.row_types()[case["record"]]._meta.verbose_name,
                "who": people.get(case["person_id"] or case["was_person_id"]),
                "took": _took(case),
                "was": STATES.get((case["before"] or "").lower(), "没有义务"),
                "becomes": STATES.get((case["after"] or "").lower(), "没有义务"),
                "is_caught": case["after"] in ("LATE", "BREACHED"),
            }
            for case, pointer in zip(shown, pointers, strict=True)
        ],
        "case_count": len(cases),
        "chosen": next((p["name"] for p in result["people"] if str(p["person_id"]) == chosen), ""),
    }


class _Pointer:
    """What `subject_names` asks of a row."""

    def __init__(self, record: str, number: int) -> None:
        self.subject_type, self.subject_id = record, number
        self.subject = (record, number)


def _took(case: dict[str, Any]) -> str:
    begun, met = parse_datetime(case["began_at"]), parse_datetime(case["met_at"] or "")
    if met is None or begun is None or met < begun:
        return "–"
    hours = (met - begun).total_seconds() / 3600
    return f"{hours:.1f} 时" if hours < 96 else f"{hours / 24:.1f} 日"  # noqa: PLR2004
