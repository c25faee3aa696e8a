"""Which subjects of a rule a change can concern: each record type reaches them by its own way.

Too many is only slower; one too few would be wrong. So every way is said here, one function each.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from fangyuan.core import facts, records, words
from fangyuan.core.models import Tracked
from fangyuan.engine import models, rulebook, scope
from fangyuan.engine.changes import Changes
from fangyuan.engine.kinds import Alert, BadRule, Cadence, Deadline, Required, base
from fangyuan.org.models import SALES_POSITIONS, Holding, Leave, Membership, Person, Team

Numbers = set[int]
# Records whose change may concern who answers for any rule, or whether it is waived.
_PEOPLE: Final = frozenset({"membership", "person", "team", "leave", "waiver"})


@dataclass(frozen=True)
class Ways:
    """What a rule reads, and so by which ways a change reaches its subjects."""

    kind: base.Owed
    facts: list[Any]
    columns: set[str] | None  # of its subjects; None for any
    told: set[str] | None  # facts of which past values are read; None for any
    links: list[tuple[str, str, set[str], set[str] | None]]
    sources: list[tuple[str, str, set[str]]]

    @functools.cached_property
    def records(self) -> frozenset[str]:
        """The types of the records that may concern the rule at all."""
        found = {self.kind.record, "tracked", "holding", *_PEOPLE}
        found |= {to for _, to, _, _ in self.links}
        read = list(self.facts)
        for source, _, names in self.sources:
            found.add(source)
            read += [facts.find(records.row_types()[source], name) for name in names]
        return frozenset(found | {record for fact in read for record, *_ in fact.reads})


def _ways(rule: models.Rule) -> Ways:
    return _ways_of(*rulebook.words_of(rule))


@functools.lru_cache(maxsize=1024)
def _ways_of(*words: str) -> Ways:
    kind = rulebook.kind_said(*words)
    return Ways(
        kind, _facts(kind), _read(kind), _told(kind), list(_links(kind)), list(_sources(kind))
    )


def subjects(rule: models.Rule, changes: Changes) -> Numbers:
    """The subjects of a rule that the changes may concern."""
    try:
        ways = _ways(rule)
    except BadRule:
        return set()
    if ways.records.isdisjoint(changes.records):
        return set()
    kind = ways.kind
    found: Numbers = set(changes.numbers(kind.record, ways.columns))
    found |= _pointed(kind.record, changes, ways.told)
    found |= _by_links(ways, changes)
    for source, link, names in ways.sources:
        asked = (kind.record, source, link, changes, names)
        key = (kind.record, source, link, *sorted(names))
        found |= changes.once(key, functools.partial(_by_events, *asked))
    for fact in ways.facts:
        reads = functools.partial(_by_reads, kind.model, fact, changes)
        found |= changes.once((kind.record, fact.name), reads)
    if not _PEOPLE.isdisjoint(changes.records):
        found |= _by_people(kind, changes)
        found |= _by_waivers(rule, changes)
    return found


def is_touched_whole(rule: models.Rule, changes: Changes) -> bool:
    """Whether a change concerns the rule as such: its text, its adoption, a named leader."""
    if rule.pk in changes.numbers("rule"):
        return True
    if rule.clause_id in changes.numbers("clause"):
        return True
    is_adoption, led = changes.once("whole", functools.partial(_touched_whole, changes))
    return is_adoption or not led.isdisjoint(_who(rule))


def _touched_whole(changes: Changes) -> tuple[bool, set[str]]:
    """Whether adoption changed, for every rule; and the departments that may be led anew."""
    told, teams = changes.numbers("tracked"), changes.numbers("team")
    adoption = Tracked._base_manager.filter(pk__any_of=told, subject_type="team", fact="policies")
    is_adoption = bool(changes.numbers("team", {"policies", "kind", "removed_at"})) or bool(
        told and adoption.exists()
    )
    codes = Team._base_manager.order_by().filter(pk__any_of=teams).values_list("code", flat=True)
    return is_adoption, set(codes) if teams else set()


def _who(rule: models.Rule) -> list[str]:
    return [one.strip() for one in str(rule.params.get("who", "")).split(",")]


def counts_working_days(rule: models.Rule) -> bool:
    """Whether the calendar matters to a rule."""
    params = rule.params
    texts = [str(params.get(name, "")) for name in ("within", "due")]
    return (
        any("wd" in text or "working_day" in text for text in texts)
        or params.get("on_leave") == "extend"
        or (params.get("per") == "day" and params.get("days") != "calendar")
    )


def _pointed(record: str, changes: Changes, told: set[str] | None) -> Numbers:
    """Subjects at which changed spans point: holdings, and past values of these facts or of any."""
    found: Numbers = set()
    for (to, fact), numbers in changes.once("pointers", lambda: _pointers(changes)).items():
        if to == record and (told is None or fact == "" or fact in told):
            found |= numbers
    for model in (Tracked, Holding):
        found |= changes.linked_before(model.record_name(), "subject_id")
    return found


def _pointers(changes: Changes) -> dict[tuple[str, str], Numbers]:
    """At what the changed spans point: (record type, fact told or "") → numbers."""
    found: dict[tuple[str, str], Numbers] = {}
    if held := changes.numbers("holding"):
        rows = Holding._base_manager.order_by().filter(pk__any_of=held)
        for to, number in rows.values_list("subject_type", "subject_id"):
            found.setdefault((to, ""), set()).add(number)
    if told := changes.numbers("tracked"):
        # A value that was told of another fact before concerns every rule.
        moved = {
            n for n, columns in changes.records["tracked"].items() if "fact" in (columns or ())
        }
        spans = Tracked._base_manager.order_by().filter(pk__any_of=told)
        for pk, to, number, fact in spans.values_list("pk", "subject_type", "subject_id", "fact"):
            found.setdefault((to, "" if pk in moved else fact), set()).add(number)
    return found


def _told(kind: base.Owed) -> set[str] | None:
    """The facts of its subjects of which a rule may read told values; None for any."""
    names = {fact.name for fact in _facts(kind)}
    if isinstance(kind, Alert):
        return None
    if isinstance(kind, Required):
        names.add(str(kind.since))
    return _all_told(kind.model, names)


def _all_told(model: Any, names: Iterable[str]) -> set[str] | None:
    found: set[str] = set()
    for name in names:
        fact = facts.find(model, name)
        if isinstance(fact, facts.Derived):
            return None
        found.add(name)
        if isinstance(fact, facts.Among | facts.Since | facts.HoldsAny):
            of = _all_told(model, {fact.of})
            if of is None:
                return None
            found |= of
        elif isinstance(fact, facts.Phases):
            found |= {at for _, at in fact.begun_by}
        elif isinstance(fact, facts.Until):
            found.add(fact.until)
    return found


def _by_links(ways: Ways, changes: Changes) -> Numbers:
    """Subjects that take a fact, or their owner, from a record to which they point."""
    found: Numbers = set()
    model = ways.kind.model
    for link, to, columns, told in ways.links:
        there = changes.numbers(to, columns) | _pointed(to, changes, told)
        if there:
            rows = model._base_manager.order_by().filter(**{f"{link}_id__any_of": there})
            if link in getattr(model, "any_fields", {}):
                rows = rows.filter(**{f"{link}_type": to})
            # What does not fit by columns of its own, and was not changed itself, never did.
            rows = rows.filter(words.where(model, _fixed(ways.kind)))
            found |= set(rows.values_list("pk", flat=True))
    return found


def _fixed(kind: base.Owed) -> base.Condition:
    """The conditions on columns of the subject itself that have no past."""
    found = {}
    for name, wanted in kind.where.items():
        fact = None if name == "any" else facts.find(kind.model, name)
        if isinstance(fact, facts.Plain) and not fact.is_temporal and "__" not in fact.column:
            found[name] = wanted
    return found


def _links(kind: base.Owed) -> Iterator[tuple[str, str, set[str], set[str] | None]]:
    """Ways to other records: the link, their type, and the columns and told facts read there."""
    for name in _named(kind):
        fact = facts.find(kind.model, name)
        if isinstance(fact, facts.Via):
            told = _all_told(fact.target, {fact.of})
            yield fact.link, fact.to, _columns(fact.target, fact.of), told
    link = kind.model.owned_by
    if not link or link == "id" or kind.who == "self":
        return
    if link in getattr(kind.model, "any_fields", {}):
        for to in records.record_types():
            yield link, to, {"removed_at", "leader_id"}, set()
    elif (to := kind.model._meta.get_field(link).related_model) is not Person:
        yield link, to.record_name(), {"removed_at"}, set()


def _columns(model: Any, name: str) -> set[str]:
    """The columns from which a fact is made."""
    fact = facts.find(model, name)
    own = {model._meta.get_field(model.begins).column}
    if isinstance(fact, facts.Plain):
        return own | {model._meta.get_field(fact.column.split("__")[0]).column}
    if isinstance(fact, facts.Among | facts.Since):
        return own | _columns(model, fact.of)
    if isinstance(fact, facts.Phases):
        return own | {at for _, at in fact.begun_by}
    if isinstance(fact, facts.Until):
        return own | {fact.until}
    if isinstance(fact, facts.DaysTo):
        return own | {fact.day}
    return own | {f.column for f in model._meta.concrete_fields}


def _read(kind: base.Owed) -> set[str] | None:
    """The columns of its subjects that a rule reads; None for any."""
    if isinstance(kind, Alert):
        return None
    names = {fact.name for fact in _facts(kind)}
    return _all_read(kind.model, names | {str(kind.since)} if isinstance(kind, Required) else names)


def _all_read(model: Any, names: Iterable[str]) -> set[str]:
    found = {f.column for f in model._meta.concrete_fields if f.attname in scope.needed(model)}
    return found.union(*(_columns(model, name) for name in names))


def _sources(kind: base.Owed) -> Iterator[tuple[str, str, set[str]]]:
    """Record types whose events the rule reads, with the way back to the subject and the facts
    that it reads of them."""
    if isinstance(kind, Cadence):
        period = {"period"} if kind.counts_by == "period" else set()
        yield kind.event.split(".")[0], kind.via, {kind.at, *words.names(kind.when), *period}
    elif isinstance(kind, Deadline):
        for name in (kind.on, kind.until):
            if (stream := facts.stream(name, kind.record)) is not None:
                yield stream.source, stream.subject, {stream.at, *words.names(stream.when)}


def _by_events(record: str, source: str, link: str, changes: Changes, names: set[str]) -> Numbers:
    model = records.row_types()[source]
    is_fact = link not in ("", "company") and link not in getattr(model, "any_fields", {})
    names = names | ({link} if is_fact else set())
    changed = set(changes.numbers(source, _all_read(model, names)))
    for name in names:
        changed |= _by_reads(model, facts.find(model, name), changes)
    if not changed:
        return set()
    if not link:
        return changed
    if link == "company":
        return set(records.row_types()[record]._base_manager.values_list("pk", flat=True))
    rows = model._base_manager.order_by().filter(pk__any_of=changed)
    if link in getattr(model, "any_fields", {}):
        rows, column = rows.filter(**{f"{link}_type": record}), f"{link}_id"
        return set(rows.values_list(column, flat=True)) | changes.linked_before(source, column)
    rows = rows.annotate(fy_subject=scope.value_of(model, link))
    found = set(rows.values_list("fy_subject", flat=True)) - {None}
    # The fact may be an alias of a column; all links it ever had are cheap to add.
    for column in (str(f.column) for f in model._meta.concrete_fields if f.is_relation):
        found |= changes.linked_before(source, column)
    return found


def _named(kind: base.Owed) -> set[str]:
    names = set(words.names(kind.where))
    if isinstance(kind, Required):
        names |= words.names(kind.wanted)
    if isinstance(kind, Alert):
        names |= words.names(kind.plainly)
    return names


def _facts(kind: base.Owed) -> list[Any]:
    names = _named(kind)
    if isinstance(kind, Deadline):
        plain = {n for n in (kind.on, kind.until) if not facts.stream(n, kind.record)}
        names |= plain | ({kind.by} if kind.by else set())
    return [facts.find(kind.model, name) for name in names]


def _by_reads(model: Any, fact: Any, changes: Changes) -> Numbers:
    """Records of a type whose derived fact is made from other records."""
    found: Numbers = set()
    for record, column, *pointer in fact.reads:
        changed = changes.numbers(record)
        if not changed:
            continue
        other = records.row_types()[record]
        if pointer:
            found |= _by_pointer(model, (other, column, pointer[0]), changes)
            continue
        rows = other._base_manager.order_by().filter(pk__any_of=changed)
        if column in getattr(other, "any_fields", {}):
            rows = rows.filter(**{f"{column}_type": model.record_name()})
            found |= set(rows.values_list(f"{column}_id", flat=True))
        elif any(f.name == column for f in other._meta.concrete_fields):
            found |= set(rows.values_list(f"{column}_id", flat=True))
        else:
            ours = model._base_manager.order_by().filter(**{f"{column}_id__any_of": changed})
            found |= set(ours.values_list("pk", flat=True))
        found |= changes.linked_before(record, f"{column}_id")
    return found - {None}


def _by_pointer(model: Any, read: tuple[Any, str, str], changes: Changes) -> Numbers:
    """Records of a type that point at what changed rows are, or at what they belong to."""
    other, column, pointer = read
    changed = changes.numbers(other.record_name())
    ours = model._base_manager.order_by()
    if not pointer:
        return set(ours.values_list("pk", flat=True))
    numbers, target = set(changed), other.record_name()
    if column:
        rows = other._base_manager.order_by().filter(pk__any_of=changed)
        numbers = set(rows.values_list(f"{column}_id", flat=True))
        numbers |= changes.linked_before(target, f"{column}_id")
        target = other._meta.get_field(column).related_model.record_name()
    pointing = {f"{pointer}_type": target, f"{pointer}_id__any_of": sorted(numbers - {None})}
    return set(ours.filter(**pointing).values_list("pk", flat=True))


# --- who answers


def _by_people(kind: base.Owed, changes: Changes) -> Numbers:
    """Subjects whose duty another person may answer for now."""
    named = _is_named(kind)
    members = _of(Membership, changes.numbers("membership"), "person_id")
    members |= changes.linked_before("membership", "person_id")
    moved = changes.numbers("person", {"manager_id", "removed_at", "left_on", "joined_on"})
    people = set(members)
    if leaders := changes.numbers("team", {"leader_id"}):
        teams = Membership._base_manager.filter(team__in=leaders)
        people |= set(teams.values_list("person_id", flat=True))
    if named:
        people |= moved
    away = _stood_in_for(_of(Leave, changes.numbers("leave"), "person_id"))
    away |= _stood_in_for(changes.linked_before("leave", "person_id"))
    if named:
        away = _below(away)
        people = _below(people)
    found = _answered_by(kind, people | away)
    if _is_anywhere(kind) and _is_about(kind.who, changes):
        found |= set(kind.model._base_manager.order_by().values_list("pk", flat=True))
    if kind.model is Person:
        found |= members | moved
    if kind.model is Team:
        found |= set(changes.numbers("team")) | _of(
            Membership, changes.numbers("membership"), "team_id"
        )
    return found


def _is_named(kind: base.Owed) -> bool:
    """Whether the answer is looked for among superiors."""
    plain = kind.who in ("owner", "self", "recorded_by") or kind.who in base.HELD_ROLES
    return not (plain or base.person_field(kind.model, kind.who) is not None)


def _is_anywhere(kind: base.Owed) -> bool:
    """Whether the answer is looked for in the whole company: a position outside sales."""
    is_sales = kind.who in SALES_POSITIONS
    return _is_named(kind) and not is_sales and kind.who not in base.HELD_ROLES


def _is_about(who: str, changes: Changes) -> bool:
    """Whether a membership that changed is in this position."""
    rows = Membership._base_manager.filter(pk__any_of=changes.numbers("membership"))
    return bool(rows.filter(position__key=f"position:{who}").exists())


def _of(model: Any, numbers: Numbers, column: str) -> Numbers:
    if not numbers:
        return set()
    return set(model._base_manager.filter(pk__any_of=numbers).values_list(column, flat=True))


def _walk(people: Numbers, step: str) -> Numbers:
    if not people:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH RECURSIVE r (id) AS (
                  SELECT unnest(%s::bigint[]) UNION {step}) SELECT id FROM r""",  # noqa: S608
            [sorted(people)],
        )
        return {row[0] for row in cursor}


def _below(people: Numbers) -> Numbers:
    """These people and everybody under them."""
    return _walk(people, "SELECT p.id FROM org_person p JOIN r ON p.manager_id = r.id")


def _stood_in_for(people: Numbers) -> Numbers:
    """These people and everybody for whom they may stand in, along the chain."""
    return _walk(people, "SELECT l.person_id FROM org_leave l JOIN r ON l.stand_in_id = r.id")


def _answered_by(kind: base.Owed, people: Numbers) -> Numbers:
    """Subjects that these people hold or held, or that name them as their own person."""
    if not people:
        return set()
    model = kind.model
    if model is Person:
        return set(people)
    column = _own_column(kind)
    if column is not None:
        return set(
            model._base_manager.filter(**{f"{column}__in": people}).values_list("pk", flat=True)
        )
    held = Holding._base_manager.order_by().filter(person__in=people, removed_at=None)
    link = model.owned_by
    mine = held.filter(subject_type=model.record_name())
    found: Numbers = set(mine.values_list("subject_id", flat=True))
    if not link:
        return found
    pairs = held.values_list("subject_type", "subject_id")
    by_type: dict[str, Numbers] = {}
    for record, number in pairs:
        by_type.setdefault(record, set()).add(number)
    is_any = link in getattr(model, "any_fields", {})
    for record, numbers in by_type.items():
        wanted = Q(**{f"{link}_id__in": numbers})
        if is_any:
            wanted &= Q(**{f"{link}_type": record})
        found |= set(model._base_manager.order_by().filter(wanted).values_list("pk", flat=True))
    return found


def _own_column(kind: base.Owed) -> str | None:
    model = kind.model
    if kind.who == "recorded_by":
        return "recorded_by"
    for name in (kind.who, "person" if kind.who == "self" else "", model.owned_by):
        if name and (field := base.person_field(model, name)) is not None:
            return str(field.attname)
    return None


def _by_waivers(rule: models.Rule, changes: Changes) -> Numbers:
    number = rule.clause.number
    rows = models.Waiver._base_manager.filter(pk__in=changes.numbers("waiver"), clause=number)
    found: Numbers = set()
    for waiver in rows:
        if waiver.subject_id is not None:
            if waiver.subject_type == rule.record:
                found.add(waiver.subject_id)
        elif waiver.person_id is not None:
            found |= _owed_by(rule, waiver.person_id)
    found |= changes.linked_before("waiver", "subject_id")
    for person in changes.linked_before("waiver", "person_id"):
        found |= _owed_by(rule, person)
    return found


def _owed_by(rule: models.Rule, person: int) -> Numbers:
    rows = models.Obligation.objects.everything("豁免").filter(rule=rule, person_id=person)
    return set(rows.values_list("subject_id", flat=True))
