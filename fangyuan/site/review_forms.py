"""The forms of a review and of a reported change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from fangyuan.access import scopes, table
from fangyuan.customers.models import Customer
from fangyuan.desk import inputs
from fangyuan.desk.models import Change
from fangyuan.forms.seed import POINTS
from fangyuan.site.visit_forms import Told, area, moment, pick

CLAUSE = "TAG-4.1.1b"
ANSWERS = (("SAME", "没变化"), ("CHANGED", "有变化"))


@dataclass(frozen=True)
class Topic:
    """Facts that one looks through together; `codes` are the groups that this covers."""

    label: str
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    shown: tuple[str, ...] = ()


TOPICS = (
    Topic("基本信息", ("基本信息",), ("address", "headcount")),
    Topic("行业", ("行业",), ("industry",)),
    Topic("规模", ("规模", "size"), ("size",)),
    Topic("需求", ("需求",), ("product_need",)),
    Topic("购买意向", ("购买意向",), ("intent",)),
    Topic("业务范围", ("business_scope",), ("business_scope",)),
    Topic("采购习惯", ("buying_habits",), ("buying_habits",)),
    Topic("合作历史", ("合作历史",), (), ("won_at",)),
    Topic("信用", ("信用",), (), ("credit",)),
)
KINDS = (
    *("NAME", "OWNERSHIP", "DECIDER", "CONTACT", "SCOPE", "FINANCE"),
    *("NEED", "PEOPLE", "PROGRESS", "SPECIAL", "RIVAL", "RIVAL_NEW", "RIVAL_TOUCH", "VOICE"),
)


class Review(Told):
    """Four points that must be answered, the topics looked through, and fields put right."""

    def __init__(self, *args: Any, customer: Any, actor: Any, **more: Any) -> None:
        self.customer = customer
        self.veiled = scopes.veil(actor, [customer])[customer.pk]
        super().__init__(*args, **more)
        for name, label in POINTS.items():
            self.fields[name] = forms.ChoiceField(label=label, choices=ANSWERS, required=False)
            self.fields[f"{name}_note"] = forms.CharField(required=False, max_length=500)
        for number, topic in enumerate(TOPICS):
            self.fields[f"seen_{number}"] = forms.BooleanField(label=topic.label, required=False)
            for name in topic.fields if table.may(actor, "customer", "u") else ():
                if name not in self.veiled:
                    self._offer(name, actor)

    def _offer(self, name: str, actor: Any) -> None:
        model_field = Customer._meta.get_field(name)
        field = inputs.input_for(model_field, actor, is_required=False)
        field.widget.attrs.setdefault("class", "inp")
        field.initial = getattr(self.customer, model_field.attname)
        self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        """Every point is answered, one that changed says how; something was looked through."""
        given = super().clean() or {}
        if self.data.get("all") == "SAME":
            return given | dict.fromkeys(POINTS, "SAME") | dict.fromkeys(self._seen(), True)
        for name, label in POINTS.items():
            if not given.get(name):
                self.add_error(name, f"还没确认“{label}”")
                self.clauses[name] = CLAUSE
            elif given[name] == "CHANGED" and not given.get(f"{name}_note"):
                self.add_error(name, "写一句变成了什么")
        if not any(given.get(name) for name in self._seen()) and not self.updates(given):
            self.add_error(None, "至少勾一组看过的信息")
        return given

    def _seen(self) -> list[str]:
        return [f"seen_{number}" for number in range(len(TOPICS))]

    def updates(self, given: dict[str, Any]) -> dict[str, Any]:
        """The customer's fields that were put right."""
        found = {}
        for topic in TOPICS:
            for name in topic.fields:
                stored = Customer._meta.get_field(name).attname
                if name in given and given[name] != getattr(self.customer, stored):
                    found[stored] = given[name]
        return found

    def covers(self) -> list[str]:
        """The groups that were looked through; a field put right was looked at."""
        given, found = self.cleaned_data, list[str]()
        changed = self.updates(given)
        for number, topic in enumerate(TOPICS):
            names = {Customer._meta.get_field(n).attname for n in topic.fields}
            if given.get(f"seen_{number}") or names & set(changed):
                found += topic.codes
        return found

    def answers(self) -> dict[str, str]:
        """The four answers with their notes."""
        names = [n for point in POINTS for n in (point, f"{point}_note")]
        return {n: self.cleaned_data[n] for n in names if self.cleaned_data.get(n)}

    def points(self) -> list[dict[str, Any]]:
        """The four points as they are drawn."""
        return [
            {"field": self[n], "note": self[f"{n}_note"], "clause": self.clauses.get(n, "")}
            for n in POINTS
        ]

    def topics(self) -> list[dict[str, Any]]:
        """The topics with what is known now and the fields to put it right."""
        return [
            {
                "seen": self[f"seen_{number}"],
                "known": [self._known(n) for n in (*topic.fields, *topic.shown)],
                "fields": [self[n] for n in topic.fields if n in self.fields],
                "wrong": any(self[n].errors for n in topic.fields if n in self.fields),
            }
            for number, topic in enumerate(TOPICS)
        ]

    def _known(self, name: str) -> Any:
        if name in self.veiled:
            return "不在你的权限内"
        said = getattr(self.customer, f"get_{name}_display", None)
        value = said() if said and getattr(self.customer, name) else getattr(self.customer, name)
        return timezone.localdate(value) if name == "won_at" and value else value


class Report(Told):
    """A change at a customer: what, when it happened, when and how one learnt of it."""

    kind = pick("什么变了", [c for c in Change.Kind.choices if c[0] in KINDS])
    occurred_at = moment("发生", required=True)
    known_at = moment("知悉")
    known_proof = area("知悉依据", 1, "谁说的、哪封邮件；写了就从知悉起算时限")
    before = area("变前", 1)
    after = area("变后", 1, "现在是什么样")

    def clean(self) -> dict[str, Any]:
        """Known after it happened, neither in the future; and what it is now."""
        given = super().clean() or {}
        now = timezone.now()
        for name in ("occurred_at", "known_at"):
            if given.get(name) and given[name] > now:
                self.add_error(name, "时间还没到")
        start, known = given.get("occurred_at"), given.get("known_at")
        if start and known and known < start:
            raise ValidationError({"known_at": "知悉不能早于发生"})
        if not given.get("after"):
            self.add_error("after", "还没写变成了什么")
        return given
