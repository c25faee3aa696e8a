"""A clause's page: its text, its rules read back as sentences, its evidence, and who is late."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.access import scopes
from fangyuan.core import past, records
from fangyuan.desk import duties, looking_back
from fangyuan.engine import history, kinds
from fangyuan.engine.models import Clause, Obligation, Policy, Rule, Tally, TallyMove
from fangyuan.engine.packs import names
from fangyuan.metrics.compliance import due_duties, met_duties, waived_duties
from fangyuan.metrics.measure import Span, measure_all, share
from fangyuan.org.models import Person
from fangyuan.site import clause_words, display, drafting, notices, refused, wheel
from fangyuan.site.cockpit import WEEK, WEEKS, monday

LATE_ROWS, LATE_PEOPLE = 30, 8
BINDS = {
    "rule": "规则",
    "gate": "门槛",
    "approval": "审批",
    "record": "记录",
    "page": "页面",
    "metric": "指标",
    "access": "权限",
    "document": "表单或文书",
    "notice": "通知",
}


@require_safe
@looking_back.looks_back
def clause(request: HttpRequest, number: str) -> HttpResponse:
    """The page of the clause with this number; a number without its last letter shows the first.

    With `as_of` its words, its rules and what the ledger said of them are those of then.
    """
    found, back = _found(number), looking_back.of(request)
    rows = found.rules.everything("条款人人可读").present().filter(is_shadow=False)
    rules = list(rows.select_related("policy").order_by("line", "-starts_at"))
    numbers = [rule.pk for rule in rules if rule.kind in ("DEADLINE", "CADENCE", "REQUIRED")]
    if back:
        found, *rules = past.turned([found, *rules], back.at)
        rules = [rule for rule in rules if rule.starts_at <= back.at or rule.recorded_at <= back.at]
    now = back.at if back else timezone.now()
    context = {
        "clause": found,
        "rules": (told := [_rule(rule, found, now) for rule in rules]),
        "versions": _versions(told),
        "in_force": [one for one in told if one["when"] != "已废止"],
        "may_draft": drafting.may_draft(request.user) and not back,
        "drafts": [] if back else _drafts(request.user, found),
        "bindings": [_binding(one) for one in found.bindings],
        "params": _flat(found.params),
        "neighbours": _neighbours(found),
        "refused": {} if back else refused.of_clause(request.user, found.number),
        **_evidence(request.user, numbers, back),
    }
    return render(request, "site/clause.html", context)


def _found(number: str) -> Clause:
    found = (
        Clause.objects.everything("条款人人可读")
        .filter(Q(number=number) | Q(number__startswith=number + "a"))
        .select_related("policy")
        .order_by("number")
        .first()
    )
    if found is None:
        raise Http404(f"没有编号为 {number} 的条款，请从驾驶舱或搜索里找")
    return found  # type: ignore[no-any-return]


def _drafts(person: Any, found: Clause) -> list[Policy]:
    """The open drafts that change this clause, for those who may look at drafts."""
    if not drafting.may_look(person):
        return []
    opened = Policy.objects.everything("草稿").present().filter(code=found.policy.code)
    stages = ["DRAFT", "REPLAYED", "WAITING"]
    return list(opened.filter(stage__in=stages, changes__has_key=found.number))


def _rule(rule: Rule, found: Clause, now: datetime) -> dict[str, Any]:
    over, ahead = rule.ends_at is not None and rule.ends_at <= now, rule.starts_at > now
    return {
        "when": "已废止" if over else "将生效" if ahead else "现行",
        "tone": "" if over else "soon" if ahead else "navy",
        "version": rule.policy.version if rule.policy else found.policy.version,
        "summary": rule.policy.summary if rule.policy else "",
        "kind": rule.get_kind_display(),
        "record": _type_name(rule.record),
        "sentence": kinds.read(rule.kind, rule.record, rule.params).sentence(),
        "starts_at": rule.starts_at,
        "ends_at": rule.ends_at,
    }


def _versions(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The versions that brought the rules, each once; of those that are over each rule says what
    it was."""
    found = {
        (one["version"], one["when"], one["sentence"] if one["when"] == "已废止" else ""): one
        for one in reversed(told)
    }
    return list(reversed(found.values()))


def _type_name(name: str) -> str:
    model = records.row_types().get(name)
    return str(model._meta.verbose_name) if model else names.model().said(name)


def _binding(one: dict[str, Any]) -> dict[str, str]:
    kind = str(one.get("bind", ""))
    about = one.get("record") or one.get("page") or one.get("metric") or ""
    return {"kind": BINDS.get(kind, kind), "about": _type_name(str(about))}


def _flat(params: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Parameters as rows: name, value, whether it is the company's default."""
    rows = []
    for name, value in params.items():
        if name == "proposed" and isinstance(value, dict):
            rows += [(clause_words.name(key), _said(inner), True) for key, inner in value.items()]
        else:
            rows.append((clause_words.name(name), _said(value), False))
    return rows


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_said(item) for item in value)
    if isinstance(value, dict):
        return "；".join(f"{clause_words.name(key)} {_said(inner)}" for key, inner in value.items())
    return names.model().said(clause_words.value(str(value)))


def _neighbours(found: Clause) -> list[Clause]:
    near = Clause.objects.everything("条款人人可读").filter(
        policy_id=found.policy_id, chapter=found.chapter
    )
    return list(near.only("number", "title").order_by("pk")[:60])


def _evidence(actor: Any, numbers: list[int], back: looking_back.AsOf | None) -> dict[str, Any]:
    """What the ledger says: rate and weeks, who is late, the latest red duties."""
    today = back.day if back else timezone.localdate()
    weeks = [monday(today) - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    # The moves of the tallies up to a day's end add up to the tallies of then.
    model: Any = TallyMove if back else Tally
    where = Q(rule_id__in=numbers, **({"known_on__lte": today} if back else {}))
    span = Span(weeks[0], today + timedelta(days=1))
    counted = [replace(one, of=model) for one in (met_duties, due_duties, waived_duties)]
    found = measure_all(counted, actor=actor, span=span, by=[WEEK], where=where)
    weekly = [[int(number or 0) for number in found.get((w,), (0, 0, 0))] for w in weeks]
    all_met, all_due, waived = (sum(column) for column in zip(*weekly, strict=True))
    held = model.objects.seen_by(actor).filter(where).values_list("state", "person_id")
    stands = {(state, person): n for state, person, n in held.annotate(n=Sum("number")) if n}
    standing: Counter[str] = Counter()
    for (state, _), number in stands.items():
        standing[state] += number
    rates = [share(met, due) for met, due, _ in weekly]
    missed = [due - met for met, due, _ in weekly]
    return {
        "has_duties": bool(numbers),
        "rate": share(all_met, all_due),
        "due": all_due,
        "met": all_met,
        "waiver_note": f"豁免率 {display.pct(share(waived, all_due + waived))}",
        "standing": dict(standing),
        "trend": wheel.trend(rates, missed, [f"{w.isocalendar().week}周" for w in weeks]),
        "late_people": _late_people(stands),
        "late": _late_then(actor, numbers, back) if back else _late(actor, numbers),
        "notices": {} if back else notices.counted(actor, numbers),
    }


def _late_people(stands: dict[tuple[str, int | None], int]) -> list[dict[str, Any]]:
    """Who owes the most red duties."""
    red = {person: n for (state, person), n in stands.items() if state == "BREACHED"}
    first = sorted(red.items(), key=lambda one: (-one[1], one[0] or 0))[:LATE_PEOPLE]
    people = Person.objects.everything("同事名录").in_bulk([p for p, _ in first if p])
    most = max((n for _, n in first), default=1)
    return [
        {"person": people.get(person) if person else None, "n": n, "percent": 100 * n / most}
        for person, n in first
    ]


def _late(actor: Any, numbers: list[int]) -> list[duties.Duty]:
    rows = (
        Obligation.objects.seen_by(actor)
        .filter(rule_id__in=numbers, state="BREACHED")
        .select_related("rule__clause", "person")
        .order_by("-due_at")[:LATE_ROWS]
    )
    return duties.describe(rows, actor)


def _late_then(actor: Any, numbers: list[int], back: looking_back.AsOf) -> list[duties.Duty]:
    """The latest duties that were red at the instant, of those that the actor may see now."""
    people = scopes.people(actor, Obligation)
    rows = history.red(numbers, back.at, people=people, most=LATE_ROWS)
    prefetch_related_objects(rows, "person")
    return duties.describe(rows, actor)
