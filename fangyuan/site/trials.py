"""The page of a replay: both sides in numbers, who and what would change, down to the rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from fangyuan.core import spans
from fangyuan.desk import duties
from fangyuan.engine.models import Replay
from fangyuan.engine.revision import drafts
from fangyuan.org.models import Person
from fangyuan.site import drafting, outcomes

ROWS = 30
MOST_PEOPLE = 10


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
        # A version in force keeps beside its changes what it replaced: that is no later edit.
        is_open = one.policy.stage in ("DRAFT", "REPLAYED", "WAITING")
        context["is_stale"] = is_open and one.seal != drafts.seal(one.policy)
    page = "site/replay_progress.html" if getattr(request, "htmx", None) else "site/replay.html"
    if getattr(request, "htmx", None) and one.stage in ("DONE", "FAILED"):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return render(request, page, context)


def shown(one: Replay, request: HttpRequest) -> dict[str, Any]:
    """A finished replay as the page shows it."""
    result = one.result
    families = [_family(one, result) for one in outcomes.families(result)]
    return {"result": result, "families": families, **_cases(result, request)}


def _family(found: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """One family with its figures."""
    words = outcomes.WORDS[found["family"]]
    people = found["people"][:MOST_PEOPLE]
    names = [f"{words.counts}_{side}" for side in ("before", "after")]
    most = max([1, *(person[name] for person in people for name in names)])
    points = [p for p in result["curve"] if p.get("family", "DUTIES") == found["family"]]
    clauses = [c for c in result["clauses"] if c.get("family", "DUTIES") == found["family"]]
    return {
        "code": found["family"],
        "words": words,
        "flips": list(outcomes.flips(words, found["flips"])),
        "totals": outcomes.totals(found),
        "hours": _hours(clauses, points),
        "curve": _curve(points, words.counts),
        "people": [_compared(person, names, most) for person in people],
        "rest": _rest(found["people"][MOST_PEOPLE:]),
        "teams": [_compared(team, names, most) for team in found["teams"]],
        "tiers": [
            _compared(tier, names, most)
            for tier in [t for t in found["ka_tier"] if t["code"]] or found["grade"]
        ],
        "levels": found.get("levels", []),
        "approvers": found.get("approvers", [])[:MOST_PEOPLE],
        "clauses": clauses,
        "loose": sorted({label for one in clauses for label in one.get("loose", ())}),
    }


def _compared(row: dict[str, Any], names: list[str], most: int) -> dict[str, Any]:
    before, after = (row[name] for name in names)
    return {**row, "before": before, "after": after, "percent": 100 * after / most}


def _rest(people: list[dict[str, Any]]) -> dict[str, int]:
    return {"people": len(people), "caught": sum(person["caught"] for person in people)}


def _hours(clauses: list[dict[str, Any]], points: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How long it took, as bars; only for one rule whose span is counted in hours."""
    told = [one for one in clauses if one["hours"]]
    if len(told) != 1 or len(clauses) != 1:
        return None
    counts = told[0]["hours"]
    within = {p["value"]: p for p in points if p["parameter"] == "within"}
    limit = _in_hours(next((value for value, p in within.items() if p["is_draft"]), ""))
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


def _curve(points: list[dict[str, Any]], counts: str) -> list[dict[str, Any]]:
    return [{**p, "label": p.get("label") or p["value"], "number": p[counts]} for p in points]


# --- the rows that would change


def _cases(result: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """The rows that would change, of one person if one is chosen; the rest is only counted."""
    chosen = request.GET.get("person", "")
    cases = [
        case
        for case in result["cases"]
        if not chosen or str(case["person_id"] or case["was_person_id"]) == chosen
    ]
    pointers = [_Pointer(case["record"], case["subject_id"]) for case in cases]
    names = duties.subject_names(pointers, request.user)
    seen = [case for case, at in zip(cases, pointers, strict=True) if names.get(at.subject)]
    numbers = {case["person_id"] or case["was_person_id"] for case in seen[:ROWS]} - {None}
    people = Person.objects.everything("试算页").in_bulk(numbers)
    everybody = [p for one in (result, *result.get("families", ())) for p in one["people"]]
    return {
        "cases": [_case(case, names, people) for case in seen[:ROWS]],
        "case_count": len(cases),
        "seen_count": len(seen),
        "unseen_count": len(cases) - len(seen),
        "chosen": next((p["name"] for p in everybody if str(p["person_id"]) == chosen), ""),
    }


def _case(case: dict[str, Any], names: Any, people: Any) -> dict[str, Any]:
    family = case.get("family", "DUTIES")
    words = outcomes.WORDS[family]
    return {
        **case,
        "subject": names[case["record"], case["subject_id"]],
        "url": f"/{case['record']}/{case['subject_id']}",
        "who": people.get(case["person_id"] or case["was_person_id"]),
        "what": words.title,
        "at": parse_datetime(case["began_at"]),
        "took": _took(case) if family == "DUTIES" else "–",
        "was": words.states.get(case["before"], case["before"]),
        "becomes": words.states.get(case["after"], case["after"]),
        "is_worse": case["after"] in ("LATE", "BREACHED") or case["before"] is None,
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
