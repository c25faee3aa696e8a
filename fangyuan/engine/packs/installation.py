"""Installing a checked pack: policy, clauses and rules in one transaction, in the system's name.

The same pack twice writes nothing; a later version closes the rules of the one before at its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fangyuan.core import events
from fangyuan.engine import following, models
from fangyuan.engine.packs.bindings import RULE_KINDS, STEP_KINDS, Binding, shape_of
from fangyuan.engine.packs.product import Product
from fangyuan.engine.packs.schema import Pack, Provision
from fangyuan.org.models import Team

SAID = ("title", "text", "area", "kind", "evidence", "acceptance")
CLAUSE_FIELDS = (*SAID, "chapter", "params", "bindings", "uses_default")


class Clash(Exception):
    """A pack that would rewrite what is already in force; says how to go on."""


@dataclass(frozen=True)
class Installed:
    """What an installation did."""

    policy: str
    version: str
    clauses: int = 0
    rules: int = 0
    waiting: int = 0
    changed: bool = False


@dataclass(frozen=True)
class RuleLine:
    """One rule as it will stand in the table."""

    line: int
    kind: str
    record: str
    params: dict[str, Any]


def unchanged(seals: Iterable[str]) -> list[Installed]:
    """What stands in the table under exactly these seals; nothing if any is missing."""
    wanted = list(seals)
    known = models.Policy.objects.everything("载入制度").present().filter(digest__in=wanted)
    found = {policy.digest: Installed(policy.code, policy.version) for policy in known}
    return [found[one] for one in wanted] if set(wanted) <= set(found) else []


def install_one(
    pack: Pack, product: Product, seal: str, told: frozenset[str] | None = None
) -> Installed:
    """Bring a pack into force; raises Clash when it would rewrite a version already in force.

    `told` names the clauses that have examples: only their rules bind people. None: all do.
    """
    wanted = {
        p.id: list(_rule_lines(p, product)) if told is None or p.id in told else []
        for p in pack.provisions
    }
    rules = sum(
        line.line not in (following.ANSWERS, following.OWED)
        for lines in wanted.values()
        for line in lines
    )
    total = sum(_is_rule(raw) for p in pack.provisions for raw in p.raw)
    done = Installed(
        pack.head.policy, pack.head.version, len(pack.provisions), rules, total - rules
    )
    versions = models.Policy.objects.everything("载入制度").present()
    same = versions.filter(code=pack.head.policy, version=pack.head.version).first()
    own = _own_versions(pack.head.policy)
    if same is not None and same.digest == seal or own and (same is None or same in own):
        return done
    with transaction.atomic(), connection.cursor() as cursor:
        said = f"载入《{pack.head.title}》{pack.head.version}"
        events.announce(cursor, actor=0, action="load_pack", reason=said, channel="JOB")
        if same is None:
            _close_earlier(pack)
            same = _policy(pack)
            _adopt(pack.head.policy)
        _describe(same, pack, seal)
        _write(same, pack, wanted, own)
    return replace(done, changed=True)


def _own_versions(code: str) -> list[models.Policy]:
    """What the company made of a regulation itself: what it changed, a pack leaves alone."""
    versions = models.Policy.objects.everything("载入制度").present().filter(code=code)
    published = versions.filter(supersedes__isnull=False, stage__in=["PUBLISHED", "SUPERSEDED"])
    return list(published.order_by("starts_on", "pk"))


def _is_rule(raw: dict[str, Any]) -> bool:
    return shape_of(raw) in (*RULE_KINDS, *STEP_KINDS)


def _rule_lines(provision: Provision, product: Product) -> Iterator[RuleLine]:
    pairs: list[tuple[Binding, dict[str, Any]]] = list(
        zip(provision.bindings, provision.raw, strict=True)
    )
    for line, (binding, raw) in enumerate(pairs):
        if _is_rule(raw) and not product.waits(binding):
            params = {k: v for k, v in raw.items() if k not in ("bind", "kind", "record")}
            yield RuleLine(line, shape_of(raw).upper(), raw["record"], params)
    carried = [binding for binding, _ in pairs if not product.waits(binding)]
    for line, record, duty in following.of(provision.id, carried):
        yield RuleLine(line, "DEADLINE", record, duty)


def start_of(day: date) -> datetime:
    """The first instant of a day in the company's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _close_earlier(pack: Pack) -> None:
    """End the version before at this one's start."""
    starts_on = pack.head.starts_on
    earlier = models.Policy.objects.everything("载入制度").present()
    earlier = earlier.filter(code=pack.head.policy, stage__in=["PUBLISHED", "SUPERSEDED"])
    last = earlier.order_by("-starts_on").first()
    if last is None:
        return
    if last.starts_on is not None and last.starts_on >= starts_on:
        raise Clash(
            f"《{pack.head.title}》已有 {last.version} 自 {last.starts_on} 起生效，"
            f"新版本的 from 要晚于这一天，现在是 {starts_on}"
        )
    rules = models.Rule.objects.everything("载入制度").present()
    open_rules = rules.filter(clause__policy__in=earlier, ends_at=None)
    open_rules.update(ends_at=start_of(starts_on), changed_at=timezone.now())
    is_over = starts_on <= timezone.localdate()
    earlier.filter(ends_on=None).update(
        ends_on=starts_on - timedelta(days=1),
        stage=models.Policy.Stage.SUPERSEDED if is_over else models.Policy.Stage.PUBLISHED,
        changed_at=timezone.now(),
    )


def _policy(pack: Pack) -> models.Policy:
    return models.Policy(
        code=pack.head.policy,
        version=pack.head.version,
        starts_on=pack.head.starts_on,
        published_at=start_of(pack.head.starts_on),
        stage=models.Policy.Stage.PUBLISHED,
    )


def _describe(policy: models.Policy, pack: Pack, seal: str) -> None:
    head = pack.head
    if policy.starts_on != head.starts_on:
        raise Clash(
            f"《{head.title}》{head.version} 自 {policy.starts_on} 起生效，"
            f"不能改成 {head.starts_on}，请用新的 version"
        )
    publisher = Team.objects.everything("归口部门").present().filter(code=head.publisher or "")
    policy.title, policy.number, policy.scope_note = head.title, head.number, head.scope_note
    policy.applies_to, policy.digest = list(head.applies_to), seal
    policy.publisher = publisher.first()
    policy.changed_at = timezone.now()
    policy.save()


def _adopt(code: str) -> None:
    """In a company that has teams already, the whole company adopts what is shipped."""
    companies = Team.objects.everything("采用制度").present().filter(kind=Team.Kind.COMPANY)
    for company in companies:
        if code not in company.policies:
            company.policies = sorted({*company.policies, code})
            company.save(update_fields=["policies"])


def _write(
    policy: models.Policy,
    pack: Pack,
    wanted: dict[str, list[RuleLine]],
    own: list[models.Policy],
) -> None:
    revised = {number for version in own for number in version.changes}
    rows = models.Clause._base_manager.filter(policy__in=[policy, *own])
    known = {c.number: c for c in rows}
    # What the company wrote itself no pack knows.
    if gone := sorted(set(known) - set(wanted) - revised):
        raise Clash(f"条款 {'、'.join(gone[:5])} 不见了，删条款请用新的 version")
    provisions = [p for p in pack.provisions if p.id not in revised]
    holder = next((one for one in reversed(own) if one.clauses.everything("载入").exists()), policy)
    fresh = [
        _fill(models.Clause(policy=holder, number=p.id), p) for p in provisions if p.id not in known
    ]
    models.Clause._base_manager.bulk_create(fresh)
    old = [_fill(known[p.id], p) for p in provisions if p.id in known]
    models.Clause._base_manager.bulk_update(old, CLAUSE_FIELDS, batch_size=200)
    clauses = {**known, **{c.number: c for c in fresh}}
    lines = {number: found for number, found in wanted.items() if number not in revised}
    _write_rules(policy, {n: clauses[n] for n in lines}, lines)


def _fill(clause: models.Clause, provision: Provision) -> models.Clause:
    said = provision.clause
    for name in SAID:
        setattr(clause, name, getattr(said, name))
    clause.chapter = provision.chapter
    clause.params = {**said.params, **({"defaults": said.defaults} if said.defaults else {})}
    clause.bindings = provision.raw
    clause.uses_default = bool(said.defaults)
    return clause


def _write_rules(
    policy: models.Policy, clauses: dict[str, models.Clause], wanted: dict[str, list[RuleLine]]
) -> None:
    standing = {
        (rule.clause.number, rule.line): rule
        for rule in models.Rule._base_manager.filter(
            clause__in=clauses.values(), is_shadow=False, removed_at=None
        ).select_related("clause")
    }
    starts_at = start_of(policy.starts_on or timezone.localdate())
    fresh = []
    for number, lines in wanted.items():
        for line in lines:
            there = standing.get((number, line.line))
            if there is None:
                fresh.append(
                    models.Rule(
                        clause=clauses[number],
                        policy=policy,
                        line=line.line,
                        kind=line.kind,
                        record=line.record,
                        params=line.params,
                        starts_at=starts_at,
                    )
                )
            elif (there.kind, there.record, there.params) != (line.kind, line.record, line.params):
                raise Clash(f"{number} 的规则变了，但版本号没变；请写新的 version 和更晚的 from")
    models.Rule._base_manager.bulk_create(fresh)
    kept = {(number, line.line) for number, lines in wanted.items() for line in lines}
    gone = [rule.pk for spot, rule in standing.items() if spot not in kept]
    now = timezone.now()
    models.Rule._base_manager.filter(pk__in=gone).update(removed_at=now, changed_at=now)
