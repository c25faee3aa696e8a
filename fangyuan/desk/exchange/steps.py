"""Steps that an import takes: whoever writes a governed column takes its verb's step by a file.

So the gates before that step are asked as on any other face.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fangyuan.engine import gates

# Which of these records this transaction gave a value other than the one a record begins with.
_WRITTEN = """
SELECT DISTINCT record_id FROM core_event
 WHERE xid = pg_current_xact_id()::text::bigint AND record = %s AND record_id = ANY(%s)
   AND CASE op WHEN 'C' THEN coalesce(diff ->> %s, '') <> %s ELSE diff ? %s END
"""


def unmet(load: Any, numbers: list[int]) -> Iterator[gates.Unmet]:
    """What the gates before these steps find lacking."""
    steps = _taken(load, numbers)
    if steps:
        at, book = load.deed.at, gates.Book()
        wanted = [number for _, number in steps]
        found = gates.unmet(load.model, wanted, steps=steps, at=at, book=book)
        closed = [one for one in found if one.is_gate]
        yield from gates.settle_debts(closed, steps, at=at, book=book)


def _taken(load: Any, numbers: list[int]) -> dict[tuple[str, int], set[str]]:
    record = load.model.record_name()
    gated = {one.step for one in gates.demands(load.model, at=load.deed.at) if one.step}
    found: dict[tuple[str, int], set[str]] = {}
    for column in load.given:
        name = column.removesuffix("_id")
        verb = load.model.governed.get(name)
        if verb not in gated:
            continue
        field = load.model._meta.get_field(name)
        begins = str(field.get_default() or "") if field.has_default() else ""
        asked = [record, numbers, field.column, begins, field.column]
        load.cursor.execute(_WRITTEN, asked)
        for (number,) in load.cursor.fetchall():
            found.setdefault((record, number), set()).add(str(verb))
    return found
