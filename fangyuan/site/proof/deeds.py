"""What somebody does in an example, through the door, and how the door answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fangyuan import door
from fangyuan.core import records
from fangyuan.desk.exchange import outbox
from fangyuan.engine import gates
from fangyuan.engine.models import Request
from fangyuan.engine.packs.names import nearest
from fangyuan.org.models import Person
from fangyuan.site.proof.stories import Confused
from fangyuan.site.proof.vocabulary import Vocabulary

PASSED, REFUSED, DENIED, WAITS = "通过", "被拒", "无权", "待审"
EXPECTED = ("结果", "条款", "缺")
# Nothing goes without saying in what is created.
BARE = "只按所写"
# What verbs ask for besides fields of the record.
ASKED = {"理由": "reason", "意见": "comment", "指导意见": "guidance", "角色": "role"}
VERDICTS = {"同意": "AGREE", "退回": "BACK", "驳回": "REFUSE"}


class Deeds:
    """The deeds of one example."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.words = vocabulary
        self.plain: dict[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
            "改": lambda by, record, said: door.change(
                record, self.words.assignments(type(record), said), by=by
            ),
            "删": lambda by, record, _: door.remove(record, by=by),
            "恢复": lambda by, record, _: door.restore(record, by=by),
        }

    def do(self, step: Mapping[str, Any]) -> None:
        """Do one step; raises Confused when the door answers otherwise than the example says."""
        said = {key: value for key, value in step.items() if key in EXPECTED}
        deeds = [key for key in step if key not in EXPECTED]
        if len(deeds) != 1:
            raise Confused("一步只写一件事，另可写 结果、条款、缺")
        answer, unmet = self._answer(deeds[0], dict(step[deeds[0]] or {}))
        _compare(said, answer, unmet)

    def _answer(self, deed: str, details: dict[str, Any]) -> tuple[str, list[Any]]:
        person, _, rest = deed.partition(" ")
        actor = self.words.find(person)
        if not isinstance(actor, Person):
            raise Confused(f"“{person}”不是人员")
        try:
            done = self._run(actor, rest, details)
        except door.Refused as refused:
            return REFUSED, list(refused.unmet)
        except door.Asked:
            return WAITS, []
        except door.Denied as denied:
            return DENIED, [gates.Unmet(str(denied))]
        return (WAITS if isinstance(done, door.Waiting) else PASSED), []

    def _run(self, actor: Any, rest: str, details: dict[str, Any]) -> Any:
        verb, _, name = rest.partition(" ")
        if verb == "新建":
            return self._create(actor, name, details)
        if verb == "导出":
            return self._export(actor, name, details)
        record = self.words.find(name)
        if verb in self.plain:
            return self.plain[verb](actor, record, details)
        if verb in VERDICTS:
            return self._decide(actor, record, VERDICTS[verb], details)
        named = self._verb(record, verb)
        return door.act(named, record, by=actor, payload=self._asked(named, type(record), details))

    def _create(self, actor: Any, rest: str, details: dict[str, Any]) -> Any:
        word, _, name = rest.partition(" ")
        model, preset = self.words.record(word)
        parts = {key: details.pop(key) for key in list(details) if isinstance(details[key], dict)}
        bare = details.pop(BARE, False)
        preset = {} if parts or bare else preset
        with door.acting(by=actor, action="create") as deed:
            values = self.words.assignments(model, {**preset, **details})
            named = {f.name for f in model._meta.concrete_fields} & {"name", "company", "title"}
            values = {**dict.fromkeys(sorted(named)[:1], name), **values}
            record = deed.create(model, values)
            for key, said in parts.items():
                self._part(deed, record, key, said)
        self.words.named[name] = record
        return record

    def _export(self, actor: Any, word: str, details: dict[str, Any]) -> Any:
        model, _ = self.words.record(word)
        purpose = str(details.get("用途", ""))
        done = outbox.release(actor, model.record_name(), int(details["行数"]), purpose)
        if isinstance(done, door.Waiting):
            self.words.named[f"导出{word}"] = records.find(done.request.subject)
        return done

    def _part(self, deed: Any, whole: Any, word: str, said: Mapping[str, Any]) -> None:
        model, preset = self.words.record(word)
        link = next(f.name for f in model._meta.concrete_fields if f.related_model is type(whole))
        deed.create(model, {link: whole, **self.words.assignments(model, {**preset, **said})})

    def _decide(self, actor: Any, record: Any, verdict: str, details: dict[str, Any]) -> Any:
        waiting = Request.objects.everything("例子").filter(
            subject_type=record.record_name(), subject_id=record.pk, state="WAITING"
        )
        request = waiting.order_by("-pk").first()
        if request is None:
            raise Confused("没有在等审批的申请")
        return door.decide(request, verdict, by=actor, comment=str(details.get("意见", "")))

    def _verb(self, record: Any, label: str) -> str:
        kind = record.record_name()
        known = {v.label: v.full_name for v in door.VERBS.values() if v.record == kind}
        if label not in known:
            said = record._meta.verbose_name
            raise Confused(f"{said}没有“{label}”这个动作{nearest(label, known)}")
        return known[label]

    def _asked(self, named: str, model: Any, details: Mapping[str, Any]) -> dict[str, Any]:
        own = {ASKED[key]: value for key, value in details.items() if key in ASKED}
        if "人员" in details:
            own["person"] = self.words.find(str(details["人员"]))
        rest = {k: v for k, v in details.items() if k not in ASKED and k != "人员"}
        for ask, like in door.VERBS[named].like.items():
            own |= self._like(ask, like, rest)
        return {**_whole(model, self.words.assignments(model, rest)), **own}

    def _like(self, ask: str, like: Any, rest: dict[str, Any]) -> dict[str, Any]:
        """What is said of an ask that is no field of the record; it is taken out of the rest."""
        if isinstance(like, Mapping):
            codes = {label: code for code, label in like.items()}
            return {ask: codes[str(rest.pop("去向"))]} if "去向" in rest else {}
        if like.startswith("term:"):
            domain = like.removeprefix("term:")
            return {ask: self.words.lookups.key(domain, rest.pop("原因"))} if "原因" in rest else {}
        kind, _, name = like.partition(".")
        model = records.row_types()[kind]
        label = str(model._meta.get_field(name).verbose_name)
        if label not in rest:
            return {}
        told = _whole(model, self.words.assignments(model, {label: rest.pop(label)}))
        return {ask: next(iter(told.values()))}


def _whole(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of vocabularies as records, as a form gives them to a verb."""
    found: dict[str, Any] = {}
    for column in model._meta.concrete_fields:
        if column.attname in values and column.attname != column.name:
            terms = column.related_model._base_manager
            found[column.name] = terms.get(**{column.target_field.attname: values[column.attname]})
    return {**{n: v for n, v in values.items() if not n.endswith("_id")}, **found}


def _compare(said: Mapping[str, Any], answer: str, unmet: list[Any]) -> None:
    told = ";".join(one.sentence for one in unmet)
    wanted = str(said.get("结果", PASSED))
    if answer != wanted:
        raise Confused(f"结果应为“{wanted}”，实际“{answer}”{':' + told if told else ''}")
    clause, lacking = said.get("条款"), str(said.get("缺", ""))
    fitting = [one for one in unmet if clause in (None, one.clause) and lacking in one.sentence]
    if unmet and not fitting:
        by = f"应依 {clause} 拒绝" if clause else "应拒绝"
        raise Confused(f"{by}，说缺“{lacking}”，实际：{told}")
