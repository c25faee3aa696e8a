"""Checking a pack: every mistake at once, each with file, line, clause and what to do.

Names known only to the domain model are no mistakes: `product` tells what they wait for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from fangyuan.engine.packs import meanings, names, reading
from fangyuan.engine.packs.bindings import BINDS, RULE_KINDS, Binding, read, shape_of
from fangyuan.engine.packs.phrases import phrase
from fangyuan.engine.packs.schema import AREAS, HEAD, KINDS, Chapter, Clause, Head, Pack, Provision

MAX_PROBLEMS = 500
AnyShape = TypeVar("AnyShape", bound=BaseModel)


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a pack."""

    file: str
    line: int
    clause: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return (
            f"{where} {self.clause} {self.sentence}" if self.clause else f"{where} {self.sentence}"
        )


@dataclass
class Checked:
    """A pack, or what is wrong with it."""

    file: str
    pack: Pack | None = None
    problems: list[Problem] = field(default_factory=list)


class Broken(Exception):
    """A pack with mistakes; nothing of it was installed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load(path: Path) -> Pack:
    """Read and check one pack; raises Broken with every mistake."""
    checked = check(path)
    if checked.pack is None:
        raise Broken(checked.problems)
    return checked.pack


def check(path: Path) -> Checked:
    """Read and check one pack."""
    try:
        source = reading.read_file(path)
    except reading.Unreadable as wrong:
        return Checked(path.name, None, [Problem(path.name, wrong.line, "", wrong.sentence)])
    return Checker(path.name, source).checked()


def check_bytes(name: str, content: bytes) -> Checked:
    """Check the bytes of a pack, e.g. an uploaded one."""
    try:
        source = reading.read(content)
    except reading.Unreadable as wrong:
        return Checked(name, None, [Problem(name, wrong.line, "", wrong.sentence)])
    return Checker(name, source).checked()


def check_all(paths: Iterable[Path]) -> list[Checked]:
    """Check several packs, also that no clause stands in two of them."""
    found = [check(path) for path in paths]
    owner: dict[str, str] = {}
    for one in found:
        for provision in one.pack.provisions if one.pack else ():
            other = owner.setdefault(provision.id, one.file)
            if other != one.file:
                said = f"条号在 {other} 里已有，请换一个"
                one.problems.append(Problem(one.file, 1, provision.id, said))
        if one.problems:
            one.pack = None
    return found


class Checker:
    """One pass over one file."""

    def __init__(self, file: str, source: reading.Source) -> None:
        self.file = file
        self.source = source
        self.problems: list[Problem] = []
        self.clause = ""

    def checked(self) -> Checked:
        for path, line in self.source.repeated:
            self.clause = self._clause_at(path)
            self._say_at(line, f"“{path[-1]}”写了两次，请删掉一处")
        self.clause = ""
        head = self.shape(Head, self.source.value, ())
        provisions = list(self._provisions())
        self._doubles(provisions)
        problems = sorted(set(self.problems))[:MAX_PROBLEMS]
        if problems or head is None:
            return Checked(self.file, None, problems)
        return Checked(self.file, Pack(head, [p for _, p in provisions]), [])

    def _provisions(self) -> Iterator[tuple[reading.Path_, Provision]]:
        value = self.source.value
        chapters = value.get("chapters") if isinstance(value, dict) else None
        for at, raw in enumerate(chapters if isinstance(chapters, list) else ()):
            self.clause = ""
            here: reading.Path_ = ("chapters", at)
            chapter = self.shape(Chapter, raw, here)
            title = chapter.title if chapter else ""
            clauses = raw.get("clauses") if isinstance(raw, dict) else None
            for number, clause in enumerate(clauses if isinstance(clauses, list) else ()):
                path = (*here, "clauses", number)
                if (made := self._provision(title, clause, path)) is not None:
                    yield path, made

    def _provision(self, chapter: str, raw: Any, path: reading.Path_) -> Provision | None:
        self.clause = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        clause = self.shape(Clause, raw, path)
        listed = raw.get("bind") if isinstance(raw, dict) else None
        listed = listed if isinstance(listed, list) else []
        made = [self.binding(b, (*path, "bind", at)) for at, b in enumerate(listed)]
        if clause is None:
            return None
        if clause.area not in AREAS:
            said = f"没有“{clause.area}”这个领域{names.nearest(clause.area, AREAS)}"
            self.say((*path, "area"), said)
        if clause.kind not in KINDS:
            said = f"没有“{clause.kind}”这种性质{names.nearest(clause.kind, KINDS)}"
            self.say((*path, "kind"), said)
        return Provision(chapter, clause, [b for b in made if b is not None], listed)

    def binding(self, raw: Any, path: reading.Path_) -> Binding | None:
        """What carries a clause, read and checked; None with its mistakes noted."""
        shape = shape_of(raw)
        if not shape:
            self.say(path, _unknown_shape(raw))
            return None
        model, given = read(shape, raw)
        made: Binding | None = self.shape(model, given, path)
        if made is not None:
            for more, sentence in meanings.mistakes(made):
                self.say((*path, *more), sentence)
        return made

    def shape(self, shape: type[AnyShape], raw: Any, path: reading.Path_) -> AnyShape | None:
        """A value in a shape; None with its mistakes noted."""
        if not isinstance(raw, dict):
            what = "、".join(HEAD) if shape is Head else "名称和值"
            self.say(path, f"这里要写{what}")
            return None
        try:
            return shape.model_validate(raw)
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                self.say((*path, *error["loc"]), phrase(dict(error), shape))
            return None

    def _doubles(self, provisions: list[tuple[reading.Path_, Provision]]) -> None:
        count = Counter(provision.id for _, provision in provisions)
        seen: dict[str, int] = {}
        for path, provision in provisions:
            line = self.source.line(path)
            if count[provision.id] > 1 and provision.id in seen:
                self.clause = provision.id
                self._say_at(line, f"条号和第 {seen[provision.id]} 行重复，请换一个")
            seen.setdefault(provision.id, line)

    def _clause_at(self, path: reading.Path_) -> str:
        here = self.source.value
        for step in path[:4]:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return ""
        return str(here.get("id", "")) if len(path) > 4 and isinstance(here, dict) else ""

    def say(self, path: reading.Path_, sentence: str) -> None:
        """Note a mistake at a value."""
        self._say_at(self.source.line(path), sentence)

    def _say_at(self, line: int, sentence: str) -> None:
        self.problems.append(Problem(self.file, line, self.clause, sentence))


def _unknown_shape(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "承载要写成 {bind: …} 这样的名称和值"
    if raw.get("bind") == "rule":
        kinds = "、".join(RULE_KINDS)
        return f"没有“{raw.get('kind')}”这种规则，kind 只能是 {kinds}"
    return f"没有“{raw.get('bind')}”这种承载，bind 只能是 {'、'.join(BINDS)}"
