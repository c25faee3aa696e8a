"""When a measured number was over a mark: SQL of rows (subject_id, span) for the alerts.

Judged at fixed instants: what happens at one of them counts from the next one on, save that being
idle ends at once. The spans run on into the future as if nothing more happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import IntegerField, Q, Value

from fangyuan.core import measured, timelines
from fangyuan.engine import streams

ZONE: Final = timelines.ZONE
STEPS: Final = {
    "hour": "1 hour", "day": "1 day", "week": "7 days", "biweek": "14 days", "month": "1 month",
    "quarter": "3 months", "half-year": "6 months", "year": "1 year",
}  # fmt: skip
AHEAD: Final = 6  # periods for which a drop is foreseen, if nothing more happens


@dataclass(frozen=True)
class Grid:
    """The fixed instants at which alerts are judged: every full hour, or midnight."""

    unit: str

    @property
    def step(self) -> str:
        return f"interval '{STEPS[self.unit]}'"

    def floor(self, at: str) -> str:
        """The last fixed instant at or before an instant."""
        return start_of(self.unit, at)

    def ceil(self, at: str) -> str:
        """The first fixed instant at or after an instant."""
        floor = self.floor(at)
        return f"(CASE WHEN {floor} < {at} THEN {floor} + {self.step} ELSE {at} END)"

    def after(self, at: str) -> str:
        """The first fixed instant after an instant."""
        return f"({self.floor(at)} + {self.step})"


def start_of(per: str, at: str) -> str:
    """The first instant of the hour, day or other period in which an instant lies."""
    if per == "hour":
        return f"date_trunc('hour', {at})"
    return f"({streams.first_day(per, at)}::timestamp AT TIME ZONE '{ZONE}')"


def end_of(per: str, start: str) -> str:
    """The end of a period from its start, by the company's clock."""
    return f"((({start}) AT TIME ZONE '{ZONE}' + interval '{STEPS[per]}') AT TIME ZONE '{ZONE}')"


@dataclass(frozen=True)
class Measuring:
    """Measured facts of one statement: as of when, on which grid, of one subject or of all."""

    as_of: datetime
    grid: Grid
    near: str | None = None

    def rows(self, atom: timelines.Atom, near: str | None) -> str:
        """The rows in which the atom (before negation) is true."""
        if not isinstance(atom.fact, measured.Measured):
            return timelines.rows(atom, near)
        return replace(self, near=near)._spans(atom)

    def _spans(self, atom: timelines.Atom) -> str:
        fact = atom.fact
        if atom.word == measured.FALL:
            return self._fallen(fact, atom.operand)
        if isinstance(fact, measured.Idle):
            return self._idle(fact, measured.whole(atom))
        if isinstance(fact, measured.Run):
            return self._run(fact, measured.whole(atom))
        return self._counted(fact, atom.word, atom.operand)

    def _counted(self, fact: Any, word: str, operand: Any) -> str:
        """From the event that brings the sum of its period over the mark, to the period's end."""
        start = start_of(fact.per, "e.at")
        sign = ">=" if word == "at_least" else ">"
        end = end_of(fact.per, "k.start")
        return f"""SELECT k.subject_id,
        tstzmultirange(tstzrange({self.grid.after("min(k.at)")}, {end} + {self.grid.step})) AS span
        FROM (SELECT e.subject_id, e.at, {start} AS start, sum(e.n) OVER (
                PARTITION BY e.subject_id, {start} ORDER BY e.at) AS total
                FROM ({self._events(fact, fact.when)}) e (subject_id, at, n)) k
       WHERE k.total {sign} {timelines.literal(operand)} GROUP BY k.subject_id, k.start"""  # noqa: S608

    def _idle(self, fact: Any, days: int) -> str:
        """From so many days after each event, or the beginning, to the next event."""
        whose = f" WHERE c.id = {self.near}" if self.near else ""
        begun = f"""SELECT c.id, {timelines.begins(fact.model, "c")}
                FROM "{fact.model._meta.db_table}" c{whose}"""  # noqa: S608
        return f"""SELECT k.subject_id, tstzmultirange(tstzrange(k.since, k.until)) AS span
        FROM (SELECT e.subject_id, e.at + interval '{days * 24} hours' AS since,
                     lead(e.at) OVER (PARTITION BY e.subject_id ORDER BY e.at) AS until
                FROM (SELECT subject_id, at FROM ({self._events(fact, fact.when)})
                      x (subject_id, at, n) UNION ALL {begun}) e (subject_id, at)) k
       WHERE k.until IS NULL OR k.since < k.until"""  # noqa: S608

    def _run(self, fact: Any, number: int) -> str:
        """From the event that is the n-th in a row to the next one that breaks the row."""
        going = self._events(fact, fact.when)
        broken = self._events(fact, fact.broken_by)
        since, until = self.grid.after("k.at"), self.grid.after("k.until")
        return f"""SELECT k.subject_id, tstzmultirange(tstzrange({since}, {until})) AS span
        FROM (SELECT e.*, row_number() OVER (PARTITION BY e.subject_id, e.row ORDER BY e.at) AS nth,
                     (SELECT min(b.at) FROM ({broken}) b (subject_id, at, n)
                       WHERE b.subject_id = e.subject_id AND b.at >= e.at) AS until
                FROM (SELECT a.*, (SELECT count(*) FROM ({broken}) b (subject_id, at, n)
                        WHERE b.subject_id = a.subject_id AND b.at < a.at) AS row
                        FROM ({going}) a (subject_id, at, n)) e) k
       WHERE k.nth = {number} AND (k.until IS NULL OR {since} < {until})"""  # noqa: S608

    def _fallen(self, fact: Any, asked: dict[str, Any]) -> str:
        """The period after each one that lies so far under the mean of those before it."""
        per, before = asked["over"], int(asked["against"].removeprefix(measured.MEAN))
        step, local = STEPS[per], f"AT TIME ZONE '{ZONE}'"
        now = f"{timelines.literal(self.as_of)}::timestamptz"
        share = f"(100 - {timelines.literal(asked[measured.FALL])})"
        last = f"{start_of(per, now)} {local} + {AHEAD} * interval '{step}'"
        return f"""SELECT m.subject_id,
        tstzmultirange(tstzrange((m.start + interval '{step}') {local},
                                 (m.start + 2 * interval '{step}') {local})) AS span
        FROM (SELECT p.subject_id, p.start, p.n, avg(p.n) OVER w AS mean, count(*) OVER w AS known
                FROM (SELECT f.subject_id, g.start, coalesce(v.n, 0) AS n
                        FROM (SELECT s.subject_id, min(s.start) AS start
                                FROM ({self._sums(fact, per)}) s GROUP BY 1) f
                       CROSS JOIN LATERAL generate_series(f.start, {last}, interval '{step}')
                             AS g (start)
                        LEFT JOIN ({self._sums(fact, per)}) v
                             ON v.subject_id = f.subject_id AND v.start = g.start) p
              WINDOW w AS (PARTITION BY p.subject_id ORDER BY p.start
                           ROWS BETWEEN {before} PRECEDING AND 1 PRECEDING)) m
       WHERE m.known = {before} AND m.mean > 0 AND m.n * 100 <= m.mean * {share}"""  # noqa: S608

    def _sums(self, fact: Any, per: str) -> str:
        start = f"{start_of(per, 'e.at')} AT TIME ZONE '{ZONE}'"
        return f"""SELECT e.subject_id, {start} AS start, sum(e.n) AS n
                     FROM ({self._events(fact, fact.when)}) e (subject_id, at, n) GROUP BY 1, 2"""  # noqa: S608

    def _events(self, fact: Any, when: dict[str, Any]) -> str:
        """Rows (subject_id, at, n) of what happened, as known by then."""
        rows = fact.events._base_manager.order_by().filter(**measured.plain(when))
        rows = rows.filter(**{f"{fact.at}__lte": self.as_of})
        if measured.has_bin(fact.events):
            rows = rows.filter(Q(removed_at=None) | Q(removed_at__gt=self.as_of))
            rows = rows.filter(recorded_at__lte=self.as_of)
        record = fact.model.record_name()
        rows = streams.linked(rows, fact.subject, record)
        number = getattr(fact, "value", "")
        rows = rows.annotate(fy_one=Value(1, output_field=IntegerField()))
        found = timelines.text_of(rows.values_list("fy_subject", fact.at, number or "fy_one"))
        if self.near is None:
            return found
        return f"SELECT * FROM ({found}) z (subject_id, at, n) WHERE z.subject_id = {self.near}"  # noqa: S608
