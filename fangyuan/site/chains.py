"""The steps of an approval as rows of a form: who is asked, on what condition, until when.

Each step's names in the form begin with its number; its conditions are rows as everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fangyuan.core import spans
from fangyuan.engine.kinds.approval import FIXED
from fangyuan.org.models import Person
from fangyuan.site import conditions, rule_people

MOST: Final = 9
MODES: Final = {"any": "任一人同意即可", "all": "每个人都要同意", "in_order": "一个接一个同意"}
OVERDUE: Final = {"remind": "只催办", "escalate": "转上一级"}
WHEN: Final = {"": "每次都经", "if": "满足条件才经", "otherwise": "前面的条件都不满足时才经"}


@dataclass
class Step:
    """One step as the form shows it."""

    place: int
    origin: int = 0  # where it stood in the chain that is stored
    who: str = ""
    levels: int = 2
    login: str = ""
    mode: str = "any"
    when: str = ""
    amount: str = ""
    unit: str = "wd"
    overdue: str = "remind"
    rows: list[conditions.Row] = field(default_factory=list)
    askers: list[conditions.Row] = field(default_factory=list)
    is_known: bool = True

    @property
    def prefix(self) -> str:
        """How the names of this step's fields begin."""
        return f"s{self.place}_"


class Part:
    """What a form sent for one step: the same names without their beginning."""

    def __init__(self, sent: Any, prefix: str) -> None:
        self.sent, self.prefix = sent, prefix

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field."""
        return self.sent.get(self.prefix + name, default)

    def getlist(self, name: str) -> list[str]:
        """All values of a field."""
        return list(self.sent.getlist(self.prefix + name))


def options(model: Any) -> list[tuple[str, str]]:
    """Who may be asked: superiors, somebody by name, fields of the record, positions."""
    fixed = {"line_manager": FIXED["line_manager"], "superiors": "连续几级上级"}
    fixed |= {"department_head": FIXED["department_head"], "chosen": FIXED["chosen"]}
    fixed |= {"person": "指定的一个人"}
    fields = [
        (f.name, f"记录里的{f.verbose_name}")
        for f in model._meta.concrete_fields
        if f.is_relation and f.related_model is Person
    ]
    positions = [(code, said) for code, said in rule_people.roles() if code not in fixed]
    return [*fixed.items(), *fields, *positions]


def people() -> list[tuple[str, str]]:
    """The people who may be named, by login."""
    rows = Person.objects.everything("审批人名单").present().exclude(account_state="DISABLED")
    return list(rows.order_by("pinyin", "pk").values_list("login", "name"))


def vocabulary() -> dict[str, Any]:
    """What the controls of a step offer, by their names in the template."""
    return {"people": people(), "modes": MODES, "whens": WHEN, "overdues": OVERDUE}


def steps(model: Any, approvers: list[Any]) -> list[Step]:
    """The steps of a chain as the form shows them."""
    found = [_step(model, place, _plain(raw)) for place, raw in enumerate(approvers)]
    known = dict(options(model))
    for step in found:
        step.is_known = step.who in known
    return found


def _plain(raw: Any) -> dict[str, Any]:
    """A step with its words; both names of the direct superior mean the same."""
    said = {"who": raw} if isinstance(raw, str) else raw
    return {**said, "who": "line_manager"} if said["who"] == "direct_superior" else said


def _step(model: Any, place: int, raw: dict[str, Any]) -> Step:
    made = Step(place, place, raw["who"], raw.get("levels", 1), raw.get("login", ""))
    made.mode = raw.get("mode", "any")
    made.overdue = raw.get("overdue", "remind")
    if raw.get("within"):
        span = spans.parse(raw["within"])
        made.amount, made.unit = str(span.amount), span.unit.value
    where, asker = raw.get("where") or {}, raw.get("asker") or {}
    made.when = "otherwise" if raw.get("otherwise") else "if" if where or asker else ""
    made.rows = _named(conditions.rows(model, where), made.prefix)
    made.askers = _named(conditions.rows(Person, asker), f"{made.prefix}a_")
    return made


def _named(rows: list[conditions.Row], prefix: str) -> list[conditions.Row]:
    for row in rows:
        row.prefix = prefix
    return rows


# --- reading back


def read(model: Any, before: list[Any], sent: Any) -> list[Any]:
    """The chain that a form says, in the order of its steps; a step moved or dropped is."""
    places = [int(one) for one in sent.getlist("step") if one.isdigit()][:MOST]
    drop = sent.get("drop_step", "")
    found = [
        (_rank(sent, place), _read(model, before, Part(sent, f"s{place}_")))
        for place in places
        if str(place) != drop
    ]
    chain = [step for _, step in sorted(found, key=lambda pair: pair[0])]
    return [*chain, "line_manager"] if sent.get("more_steps") and len(chain) < MOST else chain


def _rank(sent: Any, place: int) -> float:
    """Where a step comes: `up` moves it before the one above it."""
    return place - 1.5 if sent.get("up_step", "") == str(place) else float(place)


def _origin(before: list[Any], part: Part) -> int:
    """Where the step stood in the stored chain; behind its end for a new one."""
    said = part.get("origin", "")
    return int(said) if said.isdigit() else len(before)


def _old(before: list[Any], part: Part) -> dict[str, Any]:
    origin = _origin(before, part)
    return _plain(before[origin]) if origin < len(before) else {}


def _read(model: Any, before: list[Any], part: Part) -> Any:
    old = _old(before, part)
    who = part.get("who", "") or old.get("who", "line_manager")
    said: dict[str, Any] = {"who": who}
    if who == "superiors":
        levels = part.get("levels", "2")
        said["levels"] = int(levels) if levels.isdigit() else levels
    if who == "person":
        said["login"] = part.get("login", "")
    if (mode := part.get("mode", "any")) != "any":
        said["mode"] = mode
    said |= _when(model, old, part)
    if amount := part.get("amount", "").strip():
        said["within"] = f"{amount}{part.get('unit', 'wd')}"
        if part.get("overdue") == "escalate":
            said["overdue"] = "escalate"
    return who if list(said) == ["who"] else said


def _when(model: Any, old: dict[str, Any], part: Part) -> dict[str, Any]:
    when = part.get("when", "")
    if when == "otherwise":
        return {"otherwise": True}
    if when != "if":
        return {}
    asker = Part(part.sent, f"{part.prefix}a_")
    said = {
        "where": conditions.read(model, old.get("where") or {}, part),
        "asker": conditions.read(Person, old.get("asker") or {}, asker),
    }
    return {name: one for name, one in said.items() if one}


def sent_steps(model: Any, before: list[Any], sent: Any) -> list[Step]:
    """The steps as they stand in an open form, facts just chosen with their words."""
    places = [int(one) for one in sent.getlist("step") if one.isdigit()]
    order = sorted(places, key=lambda place: _rank(sent, place))
    kept = [place for place in order if str(place) != sent.get("drop_step", "")]
    found = steps(model, read(model, before, sent))
    for step, place in zip(found, kept, strict=False):  # a step just added has no form yet
        part, asker = Part(sent, f"s{place}_"), Part(sent, f"s{place}_a_")
        old, step.origin = _old(before, part), _origin(before, part)
        step.when = part.get("when", "")
        own = conditions.sent_rows(model, old.get("where") or {}, part)
        others = conditions.sent_rows(Person, old.get("asker") or {}, asker)
        step.rows = _named(own, step.prefix)
        step.askers = _named(others, f"{step.prefix}a_")
    for step in found[len(kept) :]:
        step.origin = len(before)
    return found
