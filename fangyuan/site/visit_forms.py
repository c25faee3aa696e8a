"""The forms of a visit: planning it, the appointment, the check-in, the record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from fangyuan import door
from fangyuan.activities.models import Activity
from fangyuan.customers.models import Contact, Customer

LOCAL = "%Y-%m-%dT%H:%M"
PLANNED_KINDS = ("VISIT", "CALL", "VIDEO", "ONSITE", "DEMO", "WORKSHOP", "EXECUTIVE")
WAYS = ("电话", "微信", "邮件", "当面")
THREE = ("situation", "feedback", "result")
KEY_ACCOUNT = ("need_changes", "customer_issues")
RETURNED = ("business_growth", "new_needs")
WANTED = {**dict.fromkeys(KEY_ACCOUNT, "RES-3.4.2c"), **dict.fromkeys(RETURNED, "PA-11.2.4")}
RECORD = (*THREE, *KEY_ACCOUNT, *RETURNED, "next_step", "is_deep")
APPOINTMENT = ("planned_at", "appointed_at", "appointed_with", "appointed_by")


def moment(label: str, *, required: bool = False, **more: Any) -> forms.DateTimeField:
    """A field for a day and a time of day."""
    widget = forms.DateTimeInput({"type": "datetime-local", "class": "inp"}, format=LOCAL)
    errors = {"required": f"还没写{label}", "invalid": f"{label}要写成日期和时分"}
    return forms.DateTimeField(
        label=label, required=required, widget=widget, error_messages=errors, **more
    )


def area(label: str, rows: int = 2, hint: str = "") -> forms.CharField:
    """A field for a few sentences."""
    widget = forms.Textarea({"rows": rows, "class": "inp", "placeholder": hint})
    return forms.CharField(label=label, required=False, widget=widget)


def pick(label: str, choices: Any, *, required: bool = True) -> forms.ChoiceField:
    """A choice from a short list."""
    widget = forms.Select({"class": "inp"})
    return forms.ChoiceField(label=label, choices=choices, required=required, widget=widget)


class Told(forms.Form):
    """A form that can say what the door refused, each sentence with its clause at its field."""

    stands_for: dict[str, str] = {}
    clauses: dict[str, str]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.clauses = {}
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("aria-describedby", f"e-{name}")

    def refuse(self, refused: door.Refused) -> None:
        """Put what was refused beside the fields it is about."""
        for one in refused.unmet:
            wanted = self.stands_for.get(one.field, one.field)
            name = wanted if wanted in self.fields else None
            self.add_error(name, one.sentence.removesuffix(f"({one.clause})"))
            if one.clause:
                self.clauses[name or ""] = one.clause

    def say(self, sentence: str) -> None:
        """Put one sentence on top."""
        self.add_error(None, sentence)

    def rows(self) -> list[dict[str, Any]]:
        """The visible fields with the clause that refused them."""
        return [{"field": f, "clause": self.clauses.get(f.name, "")} for f in self.visible_fields()]


class NewVisit(Told):
    """Plan a visit, or enter one that took place."""

    kind = pick("方式", [c for c in Activity.Kind.choices if c[0] in PLANNED_KINDS])
    purpose = pick("目的", Activity.Purpose.choices)
    planned_at = moment("时间", required=True)
    appointed_with = pick("见谁", [], required=False)
    appointed_by = pick(
        "约好了吗", [("", "还没约"), *((w, f"{w}约好") for w in WAYS)], required=False
    )

    def __init__(self, *args: Any, customer: Any, contacts: list[Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self.customer = customer
        self.fields["appointed_with"].choices = people(contacts)

    def clean(self) -> dict[str, Any]:
        """A customer is needed, and who confirmed the appointment."""
        given = super().clean() or {}
        if self.customer is None:
            self.add_error(None, "先选一家客户")
        if given.get("appointed_by") and not given.get("appointed_with"):
            self.add_error("appointed_with", "约好了要写明是谁确认的")
            self.clauses["appointed_with"] = "KA-3.3.1b"
        return given


class Happened(NewVisit):
    """A visit that took place already: when it began and ended."""

    planned_at = moment("开始", required=True)
    ended_at = moment("结束", required=True)
    field_order = ("kind", "purpose", "planned_at", "ended_at")

    def clean(self) -> dict[str, Any]:
        """It ended after it began, and not in the future."""
        given = super().clean() or {}
        start, end = given.get("planned_at"), given.get("ended_at")
        if end and end > timezone.now() + timedelta(minutes=1):
            self.add_error("ended_at", "结束时间还没到，先排成计划")
        if start and end and end < start:
            self.add_error("ended_at", "结束不能早于开始")
        return given


class Appointment(Told):
    """With whom the visit was agreed, how, and for when."""

    stands_for = {"appointed_at": "appointed_by"}
    planned_at = moment("拜访时间", required=True)
    appointed_with = pick("谁确认的", [], required=False)
    appointed_by = pick("怎么约的", [("", "还没约"), *((w, w) for w in WAYS)], required=False)

    def __init__(self, *args: Any, contacts: list[Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["appointed_with"].choices = people(contacts)


class CheckIn(forms.Form):
    """Where somebody checks in, and why it is not at the customer."""

    latitude = forms.DecimalField(required=False, min_value=-90, max_value=90)
    longitude = forms.DecimalField(required=False, min_value=-180, max_value=180)
    accuracy = forms.IntegerField(required=False, min_value=0)
    off_site_reason = forms.CharField(required=False, max_length=500)


class Written(Told):
    """The record of a visit: three parts always, two more for key accounts."""

    started_at = moment("开始")
    ended_at = moment("离场")
    situation = area("拜访情况", 3, "见了谁、谈了什么、看到什么")
    feedback = area("客户反馈", 2, "客户怎么说、在意什么")
    result = area("沟通结果", 2, "达成什么、谁做什么、何时")
    need_changes = area("需求变化", 2, "没有就写“无”")
    customer_issues = area("客户问题", 2, "写明后会建成任务，没有就写“无”")
    business_growth = area("业务发展", 2, "客户这一季做得怎样、有什么新动作")
    new_needs = area("新需求", 2, "没有就写“无”")
    next_step = area("下一步", 2, "下次要谈什么，见面前会提醒")
    is_deep = forms.BooleanField(
        label="深度沟通", required=False, widget=forms.CheckboxInput({"class": "ck"})
    )

    def __init__(self, *args: Any, visit: Any, is_draft: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.visit, self.is_draft = visit, is_draft
        if visit.ended_at:
            del self.fields["ended_at"], self.fields["started_at"]
        if visit.started_at and "started_at" in self.fields:
            del self.fields["started_at"]
        # Whatever the clause asks of key accounts only is optional for everyone else.
        is_return = visit.purpose == Activity.Purpose.RETURN
        also = (*(KEY_ACCOUNT if is_key(visit) else ()), *(RETURNED if is_return else ()))
        self.required = (*THREE, *also)

    def _some(self, names: Any) -> list[dict[str, Any]]:
        return [row for row in self.rows() if row["field"].name in names]

    def needed(self) -> list[dict[str, Any]]:
        """When it was, and the three parts."""
        return self._some(("started_at", "ended_at", *THREE))

    def key_rows(self) -> list[dict[str, Any]]:
        """What is noted of key accounts besides, and when one comes back to a customer."""
        return self._some([n for n in WANTED if n in self.required])

    def more(self) -> list[dict[str, Any]]:
        """What helps the next visit."""
        return self._some(("next_step", "is_deep"))

    def extra(self) -> list[dict[str, Any]]:
        """Whatever else may be added."""
        return self._some([n for n in WANTED if n not in self.required])

    def extra_is_filled(self) -> bool:
        """Whether something stands in the folded fields."""
        return any(row["field"].value() for row in self.extra())

    def clean(self) -> dict[str, Any]:
        """All parts that are needed, unless it is kept as a draft only."""
        given = super().clean() or {}
        for name in () if self.is_draft else self.required:
            if name not in self.errors and not given.get(name):
                self.add_error(name, f"还没写{self.fields[name].label}")
                self.clauses[name] = WANTED.get(name, "KA-3.3.2a")
        start = given.get("started_at") or self.visit.started_at
        end = given.get("ended_at")
        if end and end > timezone.now() + timedelta(minutes=1):
            raise ValidationError({"ended_at": "离场时间还没到"})
        if start and end and end < start:
            raise ValidationError({"ended_at": "离场不能早于开始"})
        return given


def is_key(visit: Any) -> bool:
    """Whether the customer is a key account of grade A, for whom more must be noted."""
    return bool(visit.customer and visit.customer.grade == Customer.Grade.A)


def people(contacts: list[Any]) -> list[tuple[Any, str]]:
    """The customer's contacts as choices."""
    named = [(c.pk, f"{c.name} {c.title}".strip()) for c in contacts]
    return [("", "以后再填"), *named]


def contacts_of(customer: Any, actor: Any) -> list[Contact]:
    """Who is still there at a customer, the main contact first."""
    if customer is None:
        return []
    rows = Contact.objects.seen_by(actor).present().filter(customer=customer, left_on=None)
    return list(rows.order_by("-is_main", "id")[:20])
