"""One request as its approver sees it: what changes field by field, by which clause, how far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from fangyuan.access.models import AccessLog
from fangyuan.core import facts, records
from fangyuan.core.fields import AnyField
from fangyuan.desk import columns, declare, duties
from fangyuan.desk.panels import verb_label
from fangyuan.engine import approval
from fangyuan.engine.models import Clause, Decision, Policy
from fangyuan.org.models import Person
from fangyuan.site import deal_glance, display, drafting

EMPTY: Any = (None, "", [], {})
MARKS = {
    "AGREED": ("check", "ok", ""),
    "SPARED": ("check", "ok", "前面已同意，免审"),
    "ASKED": ("clock", "soon", ""),
    "OBJECTED": ("x", "soon", ""),
    "PASSED_ON": ("move", "", "已转交"),
    "MOOT": ("x", "", "不用再审"),
}


def context(one: Any, person: Any) -> dict[str, Any]:
    """Everything that the right side of the page shows."""
    model = _model(one)
    subject = records.find(one.subject)
    placed, now_at = approval.seats_of(one), 0
    decisions = list(
        Decision.objects.everything("审批页")
        .filter(request=one)
        .select_related("person", "on_behalf_of", "to")
        .order_by("at", "id")
    )
    steps = _steps(one, placed, decisions)
    now_at = next((place for place, step in enumerate(steps, 1) if step["is_now"]), 0)
    mine = approval.asked_seats(one, person)
    hindrance = approval.hindrance(one, by=person, subject=subject, mine=mine)
    return {
        "request": one,
        "title": one.title or verb_label(one.action),
        "subject": subject,
        "subject_url": _address(subject, person),
        "clauses": _clauses(one),
        "differences": _differences(one, subject, model),
        "revised": drafting.differences(subject) if isinstance(subject, Policy) else [],
        "values": _values(one, subject),
        "children": _children(subject, person),
        "glance": deal_glance.glance(subject, person),
        "belonging": _belonging(one),
        "steps": steps,
        "now_at": now_at,
        "seat": next((s for seats in placed.values() for s in seats if s.state == "ASKED"), None),
        "decisions": decisions,
        "earlier": steps[: now_at - 1] if now_at > 1 else [],
        "hindrance": hindrance,
        "stands_for": mine[0].person.name if mine and mine[0].person_id != person.pk else "",
        "is_mine": one.asked_by_id == person.pk,
        "may_withdraw": one.asked_by_id == person.pk and not approval.withdrawal_ended(one),
        "is_waiting": one.state == "WAITING",
        "is_void": one.state == "WAITING" and approval.voided(one, subject),
    }


def _model(one: Any) -> Any:
    return records.row_types().get(one.action.split(".", 1)[0])


def _address(subject: Any, person: Any) -> str:
    """Where the approver may read what it is about; a trace of access often nowhere."""
    if subject is None or isinstance(subject, AccessLog):
        return ""
    seen = type(subject).objects.seen_by(person)
    return declare.address(subject) if seen.filter(pk=subject.pk).exists() else ""


def _clauses(one: Any) -> list[Any]:
    numbers = {p.get("clause") for step in one.chain for p in step["parties"]} | {one.clause}
    found = (
        Clause.objects.everything("条款人人可读").present().filter(number__in=numbers - {"", None})
    )
    return list({clause.number: clause for clause in found.order_by("id")}.values())


def _steps(one: Any, placed: dict[int, Any], decisions: list[Any]) -> list[dict[str, Any]]:
    """The chain: each step with its people, what they said, whose turn it is."""
    words = {(d.round, d.step, (d.on_behalf_of or d.person).pk): d for d in decisions if d.person}
    found = []
    for place, step in enumerate(one.chain, 1):
        seats = placed.get(step["id"], [])
        for seat in seats:
            seat.icon, seat.tone, seat.note = MARKS.get(seat.state, ("clock", "", ""))
            seat.word = words.get((seat.round, seat.step, seat.person_id))
        found.append(
            {
                "id": step["id"],
                "place": place,
                "label": "、".join(
                    dict.fromkeys(p["label"] for p in step["parties"] if p["label"])
                ),
                "how": _how(step, seats),
                "seats": seats,
                "is_now": one.state == "WAITING" and any(s.state == "ASKED" for s in seats),
            }
        )
    return found


def _how(step: dict[str, Any], seats: list[Any]) -> str:
    """会签 or 或签, where more than one is asked."""
    if len(seats) < 2:
        return ""
    is_all = step["mode"] == "all" and len(step["parties"]) > 1
    return "会签" if is_all or step["parties"][0]["mode"] == "all" else "或签"


def _differences(one: Any, subject: Any, model: Any) -> list[dict[str, str]]:
    """Field by field: as it is, as it is asked to become."""
    if model is None or isinstance(subject, AccessLog):
        return []
    asked = approval.thaw(one.payload)
    asked.pop(approval.WITH, None)
    was = {name: getattr(subject, name, None) for name in asked}
    sheet = _Sheet(model, one.asked_by, subject)
    sheet.ask([*asked.items(), *was.items()])
    return [
        {
            "label": facts.label(model, name),
            "was": sheet.said(name, was[name]),
            "asked": sheet.said(name, value),
        }
        for name, value in asked.items()
        if value not in EMPTY or was[name] not in EMPTY
    ]


def _belonging(one: Any) -> list[dict[str, Any]]:
    """What is created together with the record, row by row."""
    found = []
    for row in one.payload.get(approval.WITH, ()):
        model = records.row_types()[row["record"]]
        values = {n: v for n, v in approval.thaw(row["values"]).items() if v not in EMPTY}
        sheet = _Sheet(model, one.asked_by, None)
        sheet.ask(values.items())
        told = [
            {"label": facts.label(model, name), "value": sheet.said(name, value)}
            for name, value in values.items()
        ]
        found.append({"noun": model._meta.verbose_name, "values": told})
    return found


def _values(one: Any, subject: Any) -> list[dict[str, str]]:
    """What is agreed to where nothing is changed: the record as it was sent."""
    if one.payload or subject is None:
        return []
    model = type(subject)
    values = {n: getattr(subject, n, None) for n in declare.desk_of(one.subject_type).fields()}
    sheet = _Sheet(model, one.asked_by, subject)
    sheet.ask(values.items())
    return [
        {"label": facts.label(model, name), "value": sheet.said(name, value)}
        for name, value in values.items()
        if value not in EMPTY
    ]


class _Sheet:
    """Values of one record in words; what they point at is named as the applicant sees it."""

    def __init__(self, model: Any, asker: Person, subject: Any) -> None:
        self.model, self.subject, self.labels = model, subject, columns.Labels(asker)

    def ask(self, values: Iterable[tuple[str, Any]]) -> None:
        """Fetch the names of everything that these values point at."""
        for name, value in values:
            if (field := self._field(name)) is not None:
                for model, key in columns.references(field, _raw(field, value)):
                    self.labels.ask(model, [key])
        self.labels.load()

    def said(self, name: str, value: Any) -> str:
        """One value in words."""
        field = self._field(name)
        if value in EMPTY:
            return display.MISSING
        if (words := declare.said(self.model, name)) is not None:
            told = words(value, self.subject)
            return "、".join(told) if isinstance(told, list) else str(told)
        if field is None:
            return str(value)
        cell = columns.cell_of(field, _raw(field, value), self.labels)
        if cell.kind in ("at", "deadline"):
            return f"{timezone.localtime(cell.value):%Y-%m-%d %H:%M}"
        return display.yuan(cell.value) if cell.kind == "money" else cell.text

    def _field(self, name: str) -> Any:
        found = columns.field_of(self.model, name)
        return found or columns.field_of(self.model, name.removesuffix("_id"))


def _raw(field: Any, value: Any) -> Any:
    """A value as its column holds it."""
    if isinstance(value, records.Row):
        if isinstance(field, AnyField):
            return value.record_name(), value.pk
        return getattr(value, field.target_field.attname)
    return tuple(value) if isinstance(field, AnyField) and value else value


def _children(subject: Any, person: Any) -> list[Any]:
    """The lines of a plan and the like: what an agreement without a payload agrees to."""
    found: list[Any] = []
    for name in approval.parts(type(subject)):
        found += list(getattr(subject, name).everything("审批内容").present()[:40])
    names = duties.subject_names(found, person)
    for line in found:
        line.about = names.get(line.subject, "")
    return found
