"""The newest rows that an actor may see, a few at a time: what each person holds lies in order.

Sorting all that several people hold to show fifty of it takes longer than the whole page; the
newest of each person are found by an index, and the newest of all are among them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone

from fangyuan.access import scopes
from fangyuan.core import ready

MOST = 2**62

_HELD = """
SELECT DISTINCT h.subject_id
  FROM unnest(%(people)s::bigint[]) person,
       LATERAL (SELECT DISTINCT subject_id FROM org_holding
                 WHERE person_id = person AND subject_type = %(kind)s AND subject_id < %(below)s
                   AND removed_at IS NULL AND starts_at <= %(now)s
                   AND (ends_at IS NULL OR ends_at > %(now)s)
                 ORDER BY subject_id DESC LIMIT %(most)s) h
 ORDER BY h.subject_id DESC LIMIT %(most)s
"""


def numbers(actor: Any, model: Any, below: int | None, most: int) -> list[int] | None:
    """The highest numbers under `below` of rows that the actor may see, highest first; some of
    them may still be hidden. Fewer than `most` are all there are; None for a type whose rows are
    reached in other ways."""
    reach = getattr(model, "reach", {})
    found = scopes.reach(actor, model)
    given = {"actor": actor, "below": MOST if below is None else below}
    if "all" in found.sets:
        return [row[0] for row in _ALL(model, most, **given)]
    if not reach.get("held") or {"people", "via", "any"} & reach.keys():
        return None
    who = {"people": scopes.reached(actor, found), "kind": model.record_name()}
    held = ready.ask(_HELD, {**who, "below": given["below"], "most": most, "now": timezone.now()})
    others = _OTHERS(model, found, most, **given) if {"pool", "region"} & found.sets else []
    return sorted({row[0] for row in [*held, *others]}, reverse=True)[:most]


def _below(model: Any, where: Q, most: int) -> Any:
    rows = model._base_manager.filter(where, pk__lt=ready.Slot("below"))
    return rows.order_by("-pk").values_list("pk")[:most]


_ALL = ready.Ready(lambda model, most: _below(model, Q(), most))
_OTHERS = ready.Ready(lambda model, found, most: _below(model, scopes.unheld(found, model), most))

_known: dict[tuple[date, int, str, frozenset[str]], bool] = {}
MANY = 1000
_COUNTED = """
SELECT count(*) FROM (
  SELECT FROM org_holding WHERE person_id = ANY(%(people)s::bigint[]) AND subject_type = %(kind)s
   LIMIT %(most)s) found
"""


def is_many(actor: Any, model: Any) -> bool:
    """Whether more than a thousand rows come into question for the actor, as a hint for the way to
    some of them: it was so when this process first asked today."""
    found = scopes.reach(actor, model)
    if "all" in found.sets:
        return True
    key = (timezone.localdate(), actor.pk, model.record_name(), found.sets)
    if key not in _known:
        if len(_known) > MANY:
            _known.clear()
        who = {"people": scopes.reached(actor, found), "kind": model.record_name()}
        _known[key] = bool(ready.ask(_COUNTED, {**who, "most": MANY + 1})[0][0] > MANY)
    return _known[key]
