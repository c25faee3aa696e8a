"""What a request brings about when it is agreed to, and when it is not: rehearsed and undone.

The rehearsal is the real deed in a transaction that is rolled back, so that page and deed agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan import door
from fangyuan.core import facts, records
from fangyuan.desk import columns, duties
from fangyuan.engine import approval, foreseen
from fangyuan.org.models import Person
from fangyuan.site import rule_form

# What concerns many at once is told in words of its own, by the page of the draft.
UNREHEARSED: Final = ("policy.revise_policy", "access_log.export")
ASIDE: Final = ("message", "decision", "approval", "request", "tracked", "review")
BECOMES: Final = {"MET": "按时结束", "LATE": "结束（已逾期）", "VOID": "作废", "WAIVED": "豁免"}


@require_safe
def effects(request: HttpRequest, number: int) -> HttpResponse:
    """The fragment that tells what follows from either word."""
    one = approval.visible(request.user).filter(pk=number).select_related("asked_by").first()
    if one is None:
        raise Http404("没有这份申请，或不在你的范围内")
    context: dict[str, Any] = {"number": number}
    if one.state == "WAITING" and one.action not in UNREHEARSED:
        context["agreed"] = _rehearsed(one, request.user, agreed=True)
        context["refused"] = _rehearsed(one, request.user, agreed=False)
    return render(request, "site/approval_effects.html", context)


def _rehearsed(one: Any, person: Any, *, agreed: bool) -> dict[str, Any]:
    """What would be written, which gates would open, which duties end or begin."""
    subject = records.find(one.subject)
    gated = foreseen.closed_gates(type(subject), subject.pk, at=timezone.now()) if subject else {}
    try:
        with door.rehearsed(one, agreed=agreed, by=_last(one)) as deed:
            written = foreseen.events()
            moved = foreseen.duties(at=deed.now or deed.at)
            still = foreseen.closed_gates(type(subject), subject.pk, at=deed.at) if subject else {}
    except (door.Refused, door.Denied) as stopped:
        return {"stopped": str(stopped)}
    told = {
        "fields": list(_fields(written, one, subject)),
        "others": list(_others(written, one)),
        "opened": [
            {"step": rule_form.step_label(subject.record_name(), step), "clauses": _clauses(before)}
            for step, before in gated.items()
            if before and not still.get(step)
        ],
        "duties": _duties(moved, person),
    }
    return {**told, "is_nothing": not any(told.values())}


def _last(one: Any) -> Any:
    """Whose word would be the last: the deed is done in that person's name."""
    people = [number for party in one.chain[-1]["parties"] for number in party["people"]]
    return Person._base_manager.filter(pk__in=people).first()


def _clauses(unmet: list[Any]) -> list[str]:
    return sorted({one.clause for one in unmet})


def _fields(written: list[Any], one: Any, subject: Any) -> Iterator[dict[str, str]]:
    """The fields of the record itself that change, in words."""
    if subject is None:
        return
    model, labels = type(subject), columns.Labels(one.asked_by)
    known = {f.column: f for f in model._meta.concrete_fields if f.editable}
    own = [e for e in written if (e.record, e.record_id, e.op) == (*one.subject, "U")]
    changed: dict[str, list[Any]] = {}
    for column, (was, becomes) in (pair for event in own for pair in event.diff.items()):
        if column in known:
            changed.setdefault(column, [was, becomes])[1] = becomes
    for column, pair in changed.items():
        for to, key in (at for value in pair for at in columns.references(known[column], value)):
            labels.ask(to, [key])
    labels.load()
    for column, (was, becomes) in changed.items():
        field = known[column]
        yield {
            "label": facts.label(model, field.name),
            "was": _said(field, was, labels),
            "becomes": _said(field, becomes, labels),
        }


def _said(field: Any, value: Any, labels: Any) -> str:
    """One value as the log holds it, in words."""
    if value in (None, "", [], {}):
        return "–"
    python = value if field.is_relation else field.to_python(value)
    cell = columns.cell_of(field, python, labels)
    if cell.kind in ("at", "deadline"):
        return f"{timezone.localtime(cell.value):%Y-%m-%d %H:%M}"
    return str(cell.text)


def _others(written: list[Any], one: Any) -> Iterator[dict[str, Any]]:
    """Other records that are made or changed, counted by their type."""
    told: Counter[tuple[str, str]] = Counter()
    for event in written:
        own = (event.record, event.record_id) == (one.subject or ("", 0))
        if not own and event.record not in ASIDE and event.record in records.row_types():
            told[event.record, event.op] += 1
    for (record, op), number in told.items():
        noun = records.row_types()[record]._meta.verbose_name
        yield {"noun": noun, "number": number, "what": {"C": "新建", "U": "改动"}.get(op, "删除")}


def _duties(moved: list[foreseen.Duty], person: Any) -> list[dict[str, Any]]:
    """Duties that end or begin, each by its clause, its subject as the reader may see it."""
    pointers = [_Pointer(*one.subject) for one in moved]
    names = duties.subject_names(pointers, person)
    people = Person.objects.everything("审批影响").in_bulk({d.person_id for d in moved} - {None})
    return [
        {
            "clause": one.rule.clause.number,
            "title": one.rule.clause.title,
            "subject": names.get(one.subject) or "无权查看的对象",
            "person": people.get(one.person_id),
            "due_at": one.due_at,
            "says": BECOMES.get(one.becomes or "VOID", "") if one.was else "开始",
            "is_begun": one.was is None,
        }
        for one in moved
    ]


class _Pointer:
    """What `subject_names` asks of a row."""

    def __init__(self, record: str, number: int) -> None:
        self.subject_type, self.subject_id = record, number
        self.subject = (record, number)
