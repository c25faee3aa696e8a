"""Drafts become versions: begun, edited, published from a day on, and taking effect on that day.

Functions take the door's open deed and write through it; what only the system sets is saved here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fangyuan.core import events, spans
from fangyuan.engine import following, kinds, models
from fangyuan.engine.revision import drafts
from fangyuan.org import posting
from fangyuan.org.models import Membership, Message, Person, Team

Stage = models.Policy.Stage
EDITED = (Stage.DRAFT, Stage.REPLAYED)
_LAST_NUMBER = re.compile(r"(\d+)$")


class Unready(Exception):
    """The draft cannot be published or edited now; the message says why and what to do."""


def begin(deed: Any, code: str, summary: str) -> models.Policy:
    """Begin a draft of the regulation; raises Unready where there is no such regulation."""
    base = drafts.in_force(code)
    if base is None:
        raise Unready(f"没有代码为“{code}”的制度，请核对")
    kept = ("code", "number", "title", "publisher", "applies_to", "scope_note")
    values = {name: getattr(base, name) for name in kept}
    found: models.Policy = deed.create(
        models.Policy,
        {**values, "version": _next_version(base), "summary": summary, "supersedes": base},
    )
    return found


def _next_version(base: models.Policy) -> str:
    versions = models.Policy.objects.everything("版本号").filter(code=base.code)
    taken = set(versions.values_list("version", flat=True))
    version = base.version
    while version in taken:
        found = _LAST_NUMBER.search(version)
        number = int(found[1]) + 1 if found else 1
        version = _LAST_NUMBER.sub("", version) + str(number) if found else f"{version}.1"
    return version


def put(deed: Any, policy: models.Policy, number: str, **wanted: Any) -> models.Policy:
    """Change a clause in a draft: its title, its text, or a rule by `line` and `rule`.

    What equals the clause in force is no change. Raises Unready when the draft is not open.
    """
    _must_be_open(policy)
    clause = drafts.clauses_with(policy).get(number)
    if clause is None:
        raise Unready(f"现行制度里没有 {number}，请核对条号")
    changes = copy.deepcopy(policy.changes)
    change = changes.setdefault(number, {})
    said: dict[str, str] = {name: wanted[name] for name in ("title", "text") if name in wanted}
    if "new" in change:
        change["new"] |= said
    else:
        _put_words(change, clause, said)
    if "line" in wanted:
        _put_rule(change, number, str(wanted["line"]), wanted["rule"])
    if not change:
        del changes[number]
    return _store(deed, policy, changes)


def _put_words(change: dict[str, Any], clause: models.Clause, said: dict[str, str]) -> None:
    for name, text in said.items():
        change.pop(name, None)
        if text != getattr(clause, name):
            change[name] = text


def add(deed: Any, policy: models.Policy, number: str, said: dict[str, str]) -> models.Policy:
    """Write a new clause into a draft: its title, text, kind, area and chapter.

    Raises Unready when the draft is not open or the number is taken.
    """
    _must_be_open(policy)
    taken = models.Clause.objects.everything("条号").present().filter(number=number)
    if number in policy.changes or taken.exists():
        raise Unready(f"已经有 {number}，请换一个条号")
    return _store(deed, policy, {**policy.changes, number: {"new": said}})


def next_line(policy: models.Policy, number: str) -> int:
    """Where a further rule of a clause stands: behind everything that carries it."""
    clause = drafts.clauses_with(policy)[number]
    lines = [line for _, line in drafts.standing([number]) if line < following.ANSWERS]
    lines += [int(line) for line in policy.changes.get(number, {}).get("rules", {})]
    return max([len(clause.bindings) - 1, *lines], default=-1) + 1


def _put_rule(change: dict[str, Any], number: str, line: str, rule: Any) -> None:
    rules = change.setdefault("rules", {})
    rules.pop(line, None)
    old = drafts.standing([number]).get((number, int(line)))
    there = old and drafts.plain(old)
    if rule != there:
        rules[line] = rule
    if not rules:
        del change["rules"]


def replace_all(deed: Any, policy: models.Policy, changes: dict[str, Any]) -> models.Policy:
    """Give a draft its whole content anew; raises Unready when the draft is not open."""
    _must_be_open(policy)
    return _store(deed, policy, changes)


def undo(deed: Any, policy: models.Policy, number: str) -> models.Policy:
    """Take one clause out of a draft again; raises Unready when the draft is not open."""
    _must_be_open(policy)
    return _store(deed, policy, {k: v for k, v in policy.changes.items() if k != number})


def _must_be_open(policy: models.Policy) -> None:
    if policy.stage == Stage.WAITING:
        raise Unready("这份草稿正在审批，请先撤回申请再改")
    if policy.stage not in EDITED:
        raise Unready("这一版已经发布，请另起一份草稿")


def _store(deed: Any, policy: models.Policy, changes: dict[str, Any]) -> models.Policy:
    """Whatever was tried was tried on other content."""
    stored: models.Policy = deed.change(policy, changes=changes, stage=Stage.DRAFT)
    return stored


# --- publishing


def hindrance(policy: models.Policy, *, on: date | None = None) -> str:
    """Why a draft cannot be sent for approval now; empty if it can."""
    return next(_hindrances(policy, on), "")


def _hindrances(policy: models.Policy, on: date | None) -> Iterator[str]:
    if policy.stage not in EDITED:
        yield "只有草稿能提交审批"
    if not policy.changes:
        yield "草稿还没有改动，请先改条款"
    for (number, _), said in drafts.faults(policy).items():
        yield f"{number} 的规则还有错：{said[0]}"
    if drafts.fresh(policy) is None:
        yield "发布前要先试算一次，看看会影响谁"
    if on is not None and on < timezone.localdate():
        yield "生效日不能早于今天"
    others = models.Policy.objects.everything("另一版").present().exclude(pk=policy.supersedes_id)
    other = others.filter(code=policy.code, stage=Stage.PUBLISHED).order_by("-starts_on").first()
    if other is not None:
        yield f"{other.version} 版已定于 {other.starts_on} 生效，请等它生效后在它上面另起草稿"


def publish(deed: Any, policy: models.Policy) -> models.Policy:
    """Bring a draft into force from its day on; rules begin at once, the text on that day."""
    at = effective_at(policy, deed.at)
    rules, clauses = drafts.standing(policy.changes), _clauses(policy)
    base = drafts.in_force(policy.code)
    published: models.Policy = deed.change(
        policy,
        stage=Stage.PUBLISHED,
        published_at=deed.at,
        starts_on=spans.day_of(at),
        supersedes=base,
    )
    for number, line, wanted in (*drafts.lines(policy), *_following(policy, rules)):
        old = rules.get((number, line))
        if old is not None:
            deed.change(old, ends_at=at)
        if wanted is not None:
            _new_rule(clauses[number], line, wanted, old, published, at)
    if base is not None:
        last = spans.day_of(at) - timedelta(days=1)
        deed.change(base, ends_on=max(last, base.starts_on or last))
    _stop_shadow(published)
    ask_to_sign(published, deed.at)
    if at <= deed.at:
        enact(published)
    return published


def _clauses(policy: models.Policy) -> dict[str, models.Clause]:
    """The clauses a version's rules belong to; those it brings are written, in force with it."""
    found = drafts.clauses_with(policy)
    for clause in found.values():
        if clause.pk is None:
            rules = policy.changes[clause.number].get("rules", {})
            clause.bindings = [
                binding(rule) for _, rule in sorted(rules.items(), key=lambda x: int(x[0])) if rule
            ] or [{"bind": "page", "page": "clause"}]
            clause.evidence = clause.acceptance = ""
            clause.save()
    return found


def _following(
    policy: models.Policy, rules: dict[tuple[str, int], models.Rule]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """What follows from the rules of the changed clauses and is not there yet."""
    for number, change in policy.changes.items():
        wanted = {int(line): rule for line, rule in change.get("rules", {}).items()}
        stay = {line: rule for (own, line), rule in rules.items() if own == number}
        there = {line: drafts.plain(rule) for line, rule in stay.items()}
        read = [kinds.read(**rule) for rule in {**there, **wanted}.values() if rule]
        for line, record, params in following.of(number, read):
            if line not in stay:
                yield number, line, {"kind": "DEADLINE", "record": record, "params": params}


def binding(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as a pack would bind it to its clause."""
    kind = rule["kind"].lower()
    said = {"bind": kind} if kind in ("gate", "approval") else {"bind": "rule", "kind": kind}
    return {**said, "record": rule["record"], **rule["params"]}


def effective_at(policy: models.Policy, now: datetime) -> datetime:
    """The first instant of the day of effect; today means from now on, never backwards."""
    return max(spans.midnight(policy.starts_on or spans.day_of(now)), now)


def _new_rule(
    clause: models.Clause,
    line: int,
    wanted: dict[str, Any],
    old: models.Rule | None,
    policy: models.Policy,
    at: datetime,
) -> None:
    models.Rule(
        clause=clause,
        line=line,
        kind=wanted["kind"],
        record=wanted["record"],
        params=wanted["params"],
        starts_at=at,
        policy=policy,
        follows=old,
        in_flight=policy.in_flight,
    ).save()


def _stop_shadow(policy: models.Policy) -> None:
    models.Policy.objects.everything("试运行结束").filter(pk=policy.pk).update(
        shadow_since=None, shadow_team=None
    )


def enact(policy: models.Policy) -> None:
    """Let the text follow: the clauses pass to the version, those it changed read anew."""
    base = policy.supersedes
    if base is None:
        return
    known = {c.number: c for c in models.Clause._base_manager.filter(policy=base)}
    changes = copy.deepcopy(policy.changes)
    for number, change in changes.items():
        if "new" not in change and (clause := known.get(number)) is not None:
            change["was"] = {"title": clause.title, "text": clause.text}
            _rewrite(clause, change)
    now = timezone.now()
    models.Clause._base_manager.filter(policy=base).update(policy=policy, changed_at=now)
    models.Policy._base_manager.filter(pk=base.pk).update(stage=Stage.SUPERSEDED, changed_at=now)
    models.Policy._base_manager.filter(pk=policy.pk).update(changes=changes, changed_at=now)


def _rewrite(clause: models.Clause, change: dict[str, Any]) -> None:
    clause.title, clause.text = change.get("title", clause.title), change.get("text", clause.text)
    bindings = [dict(one) for one in clause.bindings]
    for line, wanted in sorted(change.get("rules", {}).items(), key=lambda one: int(one[0])):
        if wanted is not None and int(line) <= len(bindings):
            bindings[int(line) : int(line) + 1] = [binding(wanted)]
    clause.bindings = bindings
    clause.save(update_fields=["title", "text", "bindings"])


def enact_due() -> int:
    """Let every version take effect whose day has come; returns how many. For the worker."""
    due = models.Policy.objects.everything("到期生效").filter(
        stage=Stage.PUBLISHED,
        starts_on__lte=timezone.localdate(),
        supersedes__stage=Stage.PUBLISHED,
    )
    count = 0
    for policy in due.select_related("supersedes").order_by("starts_on", "pk"):
        with transaction.atomic(), connection.cursor() as cursor:
            said = f"{policy} {policy.version} 生效"
            events.announce(cursor, actor=0, action="enact_policy", reason=said, channel="JOB")
            enact(policy)
        count += 1
    return count


# --- read and sign


def concerned(policy: models.Policy) -> Any:
    """The people whom a regulation binds: holders of its positions, members of its departments."""
    today = timezone.localdate()
    people = Person.objects.everything("签收").present().exclude(account_state="DISABLED")
    if not policy.applies_to:
        return people
    seats = Membership.objects.everything("签收").present().filter(starts_on__lte=today)
    seats = seats.exclude(ends_on__lt=today)
    positions = [f"position:{code}" for code in policy.applies_to]
    held = seats.filter(position__in=positions).values("person")
    within = seats.filter(team__in=_below(policy.applies_to)).values("person")
    return people.filter(pk__in=held) | people.filter(pk__in=within)


def _below(codes: list[str]) -> set[int]:
    """The named departments with everything under them."""
    teams = list(Team.objects.everything("签收").present().values_list("pk", "code", "parent_id"))
    found = {pk for pk, code, _ in teams if code in codes}
    while more := {pk for pk, _, parent in teams if parent in found} - found:
        found |= more
    return found


def ask_to_sign(policy: models.Policy, at: datetime) -> int:
    """Ask everybody concerned to read and sign; once each. Returns how many were asked."""
    day = f"{policy.starts_on:%Y-%m-%d}" if policy.starts_on else ""
    return len(
        posting.post(
            Message(
                person=person,
                kind="SIGN",
                topic="SIGN",
                subject_type="policy",
                subject_id=policy.pk,
                title=f"请阅读并签收：{policy} {policy.version}",
                text=f"{policy.summary or '修订'}，{day} 起生效",
                sent_at=at,
                step_key=f"sign:{policy.pk}:{person.pk}",
            )
            for person in concerned(policy).distinct()
        )
    )
