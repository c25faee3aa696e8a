"""A draft as a file: a whole pack in a new version, or only the clauses that change.

Read and checked like a pack, then compared with what is in force: what differs is the draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from fangyuan.engine import following, models
from fangyuan.engine.packs import check, reading
from fangyuan.engine.packs.bindings import RULE_KINDS, STEP_KINDS, Shape, shape_of
from fangyuan.engine.packs.schema import AREAS, KINDS, Code, Head, Line, Number, Prose
from fangyuan.engine.revision import drafts

RULES = (*RULE_KINDS, *STEP_KINDS)
NEEDED = {"title", "text", "area", "kind"}
NEW = (*sorted(NEEDED), "chapter")


class Revision(Shape):
    """What a file of a few clauses says about itself."""

    policy: Code
    summary: Line | None = None
    clauses: list[Any] = Field(min_length=1)


class Revised(Shape):
    """One clause with what changes of it."""

    id: Number
    title: str | None = None
    text: Prose | None = None
    bind: list[Any] | None = None
    # Said of a new clause only, which needs all but its chapter.
    area: str | None = None
    kind: str | None = None
    chapter: str | None = None


@dataclass
class Read:
    """A draft read from a file, not stored."""

    policy: str
    summary: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def load(path: Path) -> Read:
    """Read and check a draft; raises check.Broken with every mistake."""
    try:
        source = reading.read_file(path)
    except reading.Unreadable as wrong:
        problem = check.Problem(path.name, wrong.line, "", wrong.sentence)
        raise check.Broken([problem]) from wrong
    reader = _Reader(path.name, source)
    found = reader.read()
    if found is None or reader.problems:
        raise check.Broken(sorted(set(reader.problems)))
    return found


class _Reader(check.Checker):
    """One pass over one file; a whole pack is checked as such."""

    def read(self) -> Read | None:
        """The draft, or None with its mistakes noted."""
        value = self.source.value
        if isinstance(value, dict) and "chapters" in value:
            return self._pack()
        head = self.shape(Revision, value, ())
        if head is None:
            return None
        known = self._known(head.policy)
        made = Read(head.policy, head.summary or "")
        for at, raw in enumerate(head.clauses):
            self.clause = str(raw.get("id", "")) if isinstance(raw, dict) else ""
            path: reading.Path_ = ("clauses", at)
            one = self.shape(Revised, raw, path)
            if one is None:
                continue
            self._placed(one, known, path)
            for place, binding in enumerate(one.bind or ()):
                self.binding(binding, (*path, "bind", place))
            if not self.problems:
                self._add(made, known.get(one.id), one.model_dump())
        return made

    def _placed(self, one: Revised, known: dict[str, Any], path: reading.Path_) -> None:
        """Whether a clause says what it must: a new one all of itself, another only its change."""
        given = {name for name in NEW if getattr(one, name)}
        if one.id in known:
            for name in sorted(given & {"area", "kind", "chapter"}):
                self.say((*path, name), f"{one.id} 已经在制度里，{name} 只有新条款能写，请删掉")
            return
        if missing := sorted(NEEDED - given):
            said = f"现行制度里没有 {one.id}；要新增它，请写上 {'、'.join(missing)}"
            self.say(path, f"{said}，否则请核对条号")
            return
        for name, words in (("area", AREAS), ("kind", KINDS)):
            if getattr(one, name) not in words:
                said = f"{name} 写成下列之一：{'、'.join(words)}"
                self.say((*path, name), said)
        chapters = {clause.chapter for clause in known.values()}
        if one.chapter and one.chapter not in chapters:
            self.say((*path, "chapter"), f"这部制度没有“{one.chapter}”这一章")
        self._is_free(one.id, path)

    def _is_free(self, number: str, path: reading.Path_) -> None:
        taken = models.Clause.objects.everything("条号").present().filter(number=number)
        other = taken.select_related("policy").first()
        if other is not None:
            self.say(path, f"条号在《{other.policy.title}》里已有，请换一个")

    def _pack(self) -> Read | None:
        checked = self.checked()
        self.problems = checked.problems
        if checked.pack is None:
            return None
        head: Head = checked.pack.head
        known = self._known(head.policy)
        made = Read(head.policy, f"{head.version} 版")
        for one in checked.pack.provisions:
            said = {"title": one.clause.title, "text": one.clause.text, "bind": one.raw}
            if one.id not in known:
                new = {"area": one.clause.area, "kind": one.clause.kind, "chapter": one.chapter}
                self._is_free(one.id, ("chapters",))
                said |= new
            self._add(made, known.get(one.id), {"id": one.id, **said})
        return made

    def _known(self, code: str) -> dict[str, Any]:
        known = drafts.clauses(code) if drafts.in_force(code) else {}
        if not known:
            self.say(("policy",), f"没有代码为“{code}”的制度，请核对")
        self.rules = drafts.standing(known)
        return known

    def _add(self, made: Read, clause: Any, said: dict[str, Any]) -> None:
        """Note what differs from the clause in force, or all of one that is not in force yet."""
        if clause is None:
            new = {name: said[name] or "" for name in NEW}
            clause = models.Clause(number=said["id"], bindings=[], **new)
            made.changes[said["id"]] = {"new": new}
        change: dict[str, Any] = {
            name: said[name]
            for name in ("title", "text")
            if said[name] and said[name] != getattr(clause, name)
        }
        if said["bind"] is not None and (rules := self._rules(clause, said["bind"])):
            change["rules"] = rules
        if change:
            made.changes[clause.number] = made.changes.get(clause.number, {}) | change

    def _rules(self, clause: Any, bind: list[dict[str, Any]]) -> dict[str, Any]:
        wanted = {line: raw for line, raw in enumerate(bind) if shape_of(raw) in RULES}
        there = {
            line: rule
            for (own, line), rule in self.rules.items()
            if own == clause.number and line < following.ANSWERS
        }
        found: dict[str, Any] = {}
        for line in sorted({*wanted, *there}):
            old, raw = there.get(line), wanted.get(line)
            if old is None and raw in clause.bindings[line : line + 1]:
                continue  # it is not in force for want of something, and says nothing new
            new = raw and _rule(raw)
            faults = drafts.rule_faults(new) if new else []
            if old is None and faults and clause.pk:
                continue  # the product lacks what it needs
            if new != (old and drafts.plain(old)):
                found[str(line)] = new
                found_at = [check.Problem(self.file, 1, clause.number, one) for one in faults]
                self.problems += found_at
        return found


def _rule(raw: dict[str, Any]) -> dict[str, Any]:
    params = {name: one for name, one in raw.items() if name not in ("bind", "kind", "record")}
    return {"kind": shape_of(raw).upper(), "record": raw["record"], "params": params}
