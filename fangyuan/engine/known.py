"""Rules with their clauses, kept by the process while their rows are the same.

Every duty that is shown names its clause; the rows are few, long and rarely changed. What is kept
is asked for its version each time, so that a page never shows a clause as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fangyuan.core import ready
from fangyuan.engine.models import Rule

# A row has a new xmin after every change.
VERSION = """
SELECT concat_ws('.', r.xmin, c.xmin, p.xmin, v.xmin)
  FROM engine_rule r
  JOIN engine_clause c ON c.id = r.clause_id
  JOIN engine_policy p ON p.id = c.policy_id
  LEFT JOIN engine_policy v ON v.id = r.policy_id
 WHERE r.id ="""
_VERSIONS = f"SELECT n, ({VERSION} n) FROM unnest(%s::bigint[]) n"  # noqa: S608
_kept: dict[int, tuple[str, Rule]] = {}


def rules(numbers: Iterable[int]) -> dict[int, Rule]:
    """These rules with clause and policy, to be read only; one query if none has changed."""
    return of_versions(dict(ready.ask(_VERSIONS, [sorted(set(numbers))])))


def of_versions(versions: dict[int, str]) -> dict[int, Rule]:
    """The rules whose `VERSION` was read along with something else."""
    missing = [n for n, version in versions.items() if _kept.get(n, ("",))[0] != version]
    if missing:
        rows = Rule.objects.everything("条款人人可读").select_related("clause__policy", "policy")
        for number, rule in rows.in_bulk(missing).items():
            _kept[number] = (versions[number], rule)
    return {number: _kept[number][1] for number in versions if number in _kept}


def named(rows: Iterable[Any]) -> None:
    """Give every obligation its rule, with clause and policy."""
    bare = [row for row in rows if "rule" not in row._state.fields_cache]
    found = rules(row.rule_id for row in bare) if bare else {}
    for row in bare:
        row.rule = found[row.rule_id]
