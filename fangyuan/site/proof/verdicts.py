"""What an example says must hold: obligations at an instant, records, requests, who sees what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from fangyuan.access import scopes
from fangyuan.core import facts, records, spans, words
from fangyuan.engine.models import Alert, Approval, Obligation, Request, State
from fangyuan.engine.packs.names import nearest
from fangyuan.metrics import drill
from fangyuan.metrics.declare import METRICS
from fangyuan.metrics.measure import Span, measure
from fangyuan.site.proof.stories import Confused
from fangyuan.site.proof.vocabulary import Vocabulary
from fangyuan.site.proof.world import instant

NOTHING = "无"
PARTS = {"全部": "rows", "分子": "over", "分母": "under"}
STATES = {str(label): str(code) for code, label in State.choices}
Settle = Callable[[datetime, list[str]], None]


class Verdicts:
    """The checks of one example."""

    def __init__(self, vocabulary: Vocabulary, clause: str, settle: Settle) -> None:
        self.words = vocabulary
        self.clause = clause
        self.settle = settle
        self.checks: dict[str, Callable[[str, Any], None]] = {
            "义务": self._obligation,
            "预警": self._alert,
            "记录": self._record,
            "申请": self._request,
            "看得见": lambda who, said: self._sees(who, said, True),
            "看不见": lambda who, said: self._sees(who, said, False),
            "看得见字段": lambda who, said: self._reads(who, said, True),
            "看不见字段": lambda who, said: self._reads(who, said, False),
            "题目": self._items,
            "圈选": self._selects,
            "指标": self._metric,
            "名单": self._rows,
        }

    def check(self, step: Mapping[str, Any]) -> None:
        """Check one step; raises Confused at the first thing that does not hold."""
        rest = dict(step)
        if "at" in rest:
            at = instant(rest.pop("at"))
            self.settle(at, self._clauses(rest))
        for key, said in rest.items():
            word, _, name = key.partition(" ")
            if word not in self.checks:
                raise Confused(f"没有“{word}”这种核对{nearest(word, self.checks)}")
            self.checks[word](name, said)

    def _clauses(self, step: Mapping[str, Any]) -> list[str]:
        said = [value.get("条款") for value in step.values() if isinstance(value, dict)]
        return sorted({self.clause, *(clause for clause in said if clause)})

    def _obligation(self, name: str, said: Any) -> None:
        name, _, occurrence = name.partition(" ")
        subject = self.words.find(name)
        wanted = dict(said)
        found = Obligation.objects.everything("例子").filter(
            rule__clause__number=wanted.pop("条款", self.clause),
            subject_type=subject.record_name(),
            subject_id=subject.pk,
        )
        if occurrence:
            found = found.filter(occurrence=occurrence)
        if "规则" in wanted:
            found = found.filter(rule__line=int(wanted.pop("规则")) - 1)
        state = wanted.get("状态")
        rows = list(found.select_related("person", "rule").order_by("began_at"))
        living = [row for row in rows if row.state != State.VOID] or (
            rows if state == State.VOID.label else []
        )
        self._compare_obligation(name, living, wanted)

    def _compare_obligation(self, name: str, rows: list[Any], wanted: dict[str, Any]) -> None:
        if wanted.get("状态") == NOTHING:
            if rows:
                raise Confused(f"“{name}”不应有义务，实际有 {_told(rows)}")
            return
        if len(rows) != 1:
            what = _told(rows) if rows else "没有"
            raise Confused(f"“{name}”应有一项义务，实际{what}；多项时写明期或规则")
        known = _facts(rows[0])
        for label, value in wanted.items():
            if label not in known:
                raise Confused(f"义务没有“{label}”这一项{nearest(label, known)}")
            if known[label] != _plain(label, value):
                raise Confused(f"“{name}”的{label}应为“{value}”，实际“{_shown(known[label])}”")

    def _alert(self, name: str, said: Any) -> None:
        subject, wanted = self.words.find(name), dict(said)
        found = (
            Alert.objects.everything("例子")
            .present()
            .filter(
                rule__clause__number=self.clause,
                subject_type=subject.record_name(),
                subject_id=subject.pk,
            )
        )
        if "规则" in wanted:
            found = found.filter(rule__line=int(wanted.pop("规则")) - 1)
        rows = list(found.select_related("person").order_by("raised_at"))
        number = wanted.pop("次数", 0 if wanted.get("状态") == NOTHING else 1)
        if len(rows) != number:
            raise Confused(f"“{name}”应有 {number} 次预警，实际 {len(rows)} 次")
        known = _raised(rows[-1]) if rows else {"状态": NOTHING}
        for label, value in wanted.items():
            if label not in known:
                raise Confused(f"预警没有“{label}”这一项{nearest(label, known)}")
            if known[label] != _plain(label, value):
                raise Confused(f"“{name}”的{label}应为“{value}”，实际“{_shown(known[label])}”")

    def _record(self, name: str, said: Mapping[str, Any]) -> None:
        record = self.words.find(name)
        for label, raw in said.items():
            if (fact := _derived(type(record), label)) is not None:
                self._fact(record, fact, name, raw)
                continue
            field = self.words.field(type(record), label)
            wanted = self.words.value(type(record), field, raw)
            actual = getattr(record, field)
            if isinstance(wanted, str) and hasattr(record, f"{field}_id"):
                actual = getattr(record, f"{field}_id")
            if isinstance(wanted, records.Row) and isinstance(actual, tuple):
                wanted = (wanted.record_name(), wanted.pk)
            if actual != wanted:
                raise Confused(f"“{name}”的{label}应为“{raw}”，实际“{actual}”")

    def _fact(self, record: Any, fact: Any, name: str, raw: Any) -> None:
        """What is derived of a record, as it reads now."""
        rows = facts.annotate(type(record)._base_manager.filter(pk=record.pk), [fact.name])
        actual = rows.values_list(fact.path, flat=True).get()
        if str(actual) != str(raw):
            raise Confused(f"“{name}”的{fact.label}应为“{raw}”，实际“{actual}”")

    def _request(self, name: str, said: Mapping[str, Any]) -> None:
        record = self.words.find(name)
        found = Request.objects.everything("例子").filter(
            subject_type=record.record_name(), subject_id=record.pk
        )
        request = found.order_by("-pk").first()
        if request is None:
            raise Confused(f"“{name}”没有申请")
        if "状态" in said and request.get_state_display() != said["状态"]:
            actual = request.get_state_display()
            raise Confused(f"“{name}”的申请应为“{said['状态']}”，实际“{actual}”")
        if "审批人" in said:
            seats = Approval.objects.everything("例子").filter(request=request)
            people = sorted(seat.person.name for seat in seats.select_related("person"))
            if people != sorted(said["审批人"]):
                raise Confused(f"审批人应为 {said['审批人']}，实际 {people}")

    def _sees(self, who: str, names: list[str], wanted: bool) -> None:
        actor = self.words.find(who)
        for name in names:
            record = self.words.find(name)
            seen = type(record).objects.seen_by(actor).filter(pk=record.pk).exists()
            if seen != wanted:
                raise Confused(f"{who}{'应' if wanted else '不应'}看得见“{name}”")

    def _reads(self, who: str, said: Mapping[str, list[str]], wanted: bool) -> None:
        actor = self.words.find(who)
        for name, labels in said.items():
            record = self.words.find(name)
            hidden = scopes.veil(actor, [record])[record.pk]
            for label in labels:
                field = self.words.field(type(record), label)
                if (field not in hidden) != wanted:
                    verb = "应" if wanted else "不应"
                    raise Confused(f"{who}{verb}看得见“{name}”的{label}")

    def _selects(self, who: str, said: Mapping[str, Any]) -> None:
        """Whom a filter of a list finds among what this person sees."""
        model, _ = self.words.record(str(said["词"]))
        condition = dict(said["条件"])
        seen = facts.annotate(
            model.objects.seen_by(self.words.find(who)), words.names(condition)
        ).filter(words.where(model, condition))
        found = sorted(str(record) for record in seen)
        if found != sorted(said["得到"]):
            raise Confused(f"{who}应圈选到 {said['得到']}，实际 {found}")

    def _metric(self, name: str, said: Mapping[str, Any]) -> None:
        """A metric of a period, `指标 名字 quarter:2026-04-01`, as somebody sees it."""
        name, _, key = name.partition(" ")
        if name not in METRICS:
            raise Confused(f"没有“{name}”这个指标{nearest(name, METRICS)}")
        period = spans.parse_key(key)
        actor = self.words.find(str(said["看的人"]))
        found = measure(METRICS[name], actor=actor, span=Span(period.first, period.after))
        wanted = None if said["值"] == NOTHING else said["值"]
        if found.get(()) != wanted:
            raise Confused(f"{name}应为 {said['值']}，实际 {found.get(())}")

    def _rows(self, name: str, said: Mapping[str, Any]) -> None:
        """The rows behind a number, `名单 名字 quarter:2026-04-01`, as somebody finds them."""
        name, _, key = name.partition(" ")
        period, actor = spans.parse_key(key), self.words.find(str(said["看的人"]))
        part = PARTS[str(said.get("部分", "全部"))]
        found = drill.read(f"{name}:{part}:{period.first}..{period.after}")
        if found is None:
            raise Confused(f"没有“{name}”这个指标，或它没有这一部分{nearest(name, METRICS)}")
        rows = sorted(str(row) for row in found.rows(actor))
        if rows != sorted(said["得到"]):
            raise Confused(f"{name}的名单应为 {said['得到']}，实际 {rows}")

    def _items(self, code: str, labels: list[str]) -> None:
        model: Any = records.row_types()["form"]
        form = model._base_manager.filter(code=code, retired_at=None).order_by("-version").first()
        items = [str(item.get("label")) for item in form.items] if form else []
        if missing := [label for label in labels if label not in items]:
            raise Confused(f"表单 {code} 缺题目 {'、'.join(missing)}")


def _facts(row: Any) -> dict[str, Any]:
    return {
        "状态": str(State(row.state).label),
        "责任人": row.person.name if row.person else NOTHING,
        "到期": row.due_at,
        "完成": row.met_at,
    }


def _raised(row: Any) -> dict[str, Any]:
    return {
        "状态": "已解除" if row.cleared_at else "未解除",
        "责任人": row.person.name if row.person else NOTHING,
        "触发": row.raised_at,
        "解除": row.cleared_at,
    }


def _plain(label: str, value: Any) -> Any:
    if label in ("到期", "完成", "触发", "解除"):
        return None if value == NOTHING else instant(value)
    return value


def _derived(model: Any, label: str) -> Any:
    """The fact that goes by this label where no column does."""
    if any(str(column.verbose_name) == label for column in model._meta.concrete_fields):
        return None
    told = (one for one in facts.of(model).values() if one.label == label)
    return next((one for one in told if one.now() is not None), None)


def _told(rows: list[Any]) -> str:
    return "、".join(
        f"{row.occurrence} {State(row.state).label}，{_when(row.due_at)} 到期" for row in rows[:6]
    )


def _when(at: datetime) -> str:
    return f"{timezone.localtime(at):%m-%d %H:%M}"


def _shown(value: Any) -> str:
    return _when(value) if isinstance(value, datetime) else str(value)
