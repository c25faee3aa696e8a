"""Coverage: of every clause, whether what carries it exists, and whether an example proved it."""

from __future__ import annotations

import contextlib
import functools
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from fangyuan.engine import models
from fangyuan.engine.packs import bindings, product
from fangyuan.engine.packs.product import Wait
from fangyuan.site.proof import run
from fangyuan.site.proof.run import Result

EXAMPLE = Wait("packs", "例子")


@dataclass(frozen=True)
class Covered:
    """One clause: is it carried, is it proved, what does it wait for."""

    id: str
    policy: str
    title: str
    bound: bool
    exercised: bool
    waits_for: tuple[str, ...]


def coverage(*, afresh: bool = False) -> tuple[list[Covered], list[Result]]:
    """Every clause of every policy in force, and the examples that failed.

    Examples run only if something they depend on has changed since they ran last.
    """
    results = None if afresh else run.kept()
    with run.company() as here:
        if results is None:
            results = run.run_all(here)
        covered = list(_covered(results))
    _keep(covered)
    return covered, [result for result in results if not result.passed]


def _keep(covered: list[Covered]) -> None:
    with contextlib.suppress(OSError):
        text = json.dumps([asdict(one) for one in covered], ensure_ascii=False)
        _file().write_text(text, encoding="utf-8")


def last() -> list[Covered] | None:
    """The coverage as it was last told, for pages; None where nobody asked yet."""
    try:
        return _read(_file().stat().st_mtime_ns)
    except (OSError, ValueError, TypeError):
        return None


@functools.lru_cache(maxsize=1)
def _read(changed: int) -> list[Covered]:
    rows = json.loads(_file().read_text(encoding="utf-8"))
    return [Covered(**{**row, "waits_for": tuple(row["waits_for"])}) for row in rows]


def _file() -> Path:
    return Path(settings.DATA) / "coverage.json"


def _covered(results: Iterable[Result]) -> Iterable[Covered]:
    running = product.running()
    proved = _proved(results)
    rules: dict[int, set[int]] = defaultdict(set)
    standing = models.Rule.objects.everything("覆盖").present().filter(is_shadow=False)
    for clause, line in standing.values_list("clause_id", "line"):
        rules[clause].add(line)
    today = timezone.localdate()
    clauses = (
        models.Clause.objects.everything("覆盖")
        .present()
        .filter(
            Q(policy__ends_on=None) | Q(policy__ends_on__gte=today), policy__starts_on__lte=today
        )
    )
    for clause in clauses.select_related("policy").order_by("policy__code", "id"):
        waits = _waits(clause, running, rules[clause.pk])
        yield Covered(
            id=clause.number,
            policy=clause.policy.code,
            title=clause.title,
            bound=not waits,
            exercised=clause.number in proved,
            waits_for=tuple(str(wait) for wait in sorted(waits)),
        )


def _proved(results: Iterable[Result]) -> set[str]:
    passed = {result.clause for result in results if result.passed}
    return passed - {result.clause for result in results if not result.passed}


def _waits(clause: models.Clause, running: product.Product, standing: set[int]) -> set[Wait]:
    found: set[Wait] = set()
    for line, raw in enumerate(clause.bindings):
        shape = bindings.shape_of(raw)
        model, given = bindings.read(shape, raw)
        lacking = running.waits(model.model_validate(given))
        found.update(lacking)
        if shape not in bindings.SHAPES and not lacking and line not in standing:
            found.add(EXAMPLE)
    return found
