"""The forecast as numbers: by person, period and category, rolled up along the teams.

Each figure is what the actor may see of it. What a manager expects stands beside the reps' own
figures and never in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from fangyuan.core import spans, timelines
from fangyuan.opportunities.models import Adjustment, Opportunity
from fangyuan.org.models import Membership, Person, Team

SQL: Final = Path(__file__).parent / "sql"
AHEAD: Final = {"month": 3, "quarter": 4}
LATE, UNDATED = "late", "undated"
COUNTED: Final = ("WON", "COMMIT", "BEST", "PIPELINE")
NOTHING: Final = Decimal(0)
MOST_CHANGES: Final = 40
_COLUMNS: Final = ("outcome", "closed_at", "expected_on", "forecast", "amount", "win_rate")


@dataclass
class Figures:
    """The sums of one person or team in one period; amounts in yuan."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    weighted: Decimal = NOTHING

    def add(self, category: str, number: int, amount: Decimal, weighted: Decimal) -> None:
        """Take in a group of deals."""
        self.amounts[category] = self.amounts.get(category, NOTHING) + amount
        self.counts[category] = self.counts.get(category, 0) + number
        if category in COUNTED:
            self.weighted += weighted

    @property
    def own(self) -> Decimal:
        """What the reps themselves stand for: what is signed, and what they committed to."""
        return self.amounts.get("WON", NOTHING) + self.amounts.get("COMMIT", NOTHING)

    @property
    def still_open(self) -> Decimal:
        """What is on its way, whatever its category; what is left out of account is not in it."""
        return sum((self.amounts.get(c, NOTHING) for c in COUNTED[1:]), NOTHING)

    @property
    def number(self) -> int:
        """How many deals are in it."""
        return sum(self.counts.get(c, 0) for c in COUNTED)


Key = tuple[str, int]  # team or person, with its number


@dataclass
class Node:
    """A team or person of the roll-up, with what lies below it."""

    key: Key
    label: str
    parent: Key | None = None
    leader: int | None = None
    figures: dict[str, Figures] = field(default_factory=dict)
    below: list[Node] = field(default_factory=list)

    def of(self, period: str) -> Figures:
        """The figures of one period."""
        return self.figures.setdefault(period, Figures())

    def people(self) -> Iterator[int]:
        """The numbers of the people whose figures are in it."""
        if self.key[0] == "person":
            yield self.key[1]
        for one in self.below:
            yield from one.people()


@dataclass
class Forecast:
    """Every team and person whose figures the actor may see, over the periods ahead."""

    periods: list[spans.Period]
    nodes: dict[Key, Node]
    top: Node
    adjusted: dict[tuple[Key, date], Adjustment]

    def expected(self, node: Node, first: date) -> Decimal:
        """What is expected of a node in a month: a manager's word where there is one, else the
        same of those below it, else the rep's own figure."""
        told = self.adjusted.get((node.key, first))
        if told is not None:
            return told.amount
        if node.key[0] == "person":
            return node.of(str(first)).own
        return sum((self.expected(one, first) for one in node.below), NOTHING)


def periods(per: str, today: date) -> list[spans.Period]:
    """The period of today and those that follow it."""
    found = [spans.period_of(per, today)]
    while len(found) < AHEAD[per]:
        found.append(found[-1].next())
    return found


def seen(actor: Any, where: Q | None = None, *columns: str) -> str:
    """The deals that the actor may see, as SQL for the statements of this room."""
    rows = Opportunity.objects.seen_by(actor).present().filter(where or Q()).order_by()
    return timelines.text_of(rows.values_list("pk", *columns)).replace("%", "%%")


def ask(name: str, rows: str, **given: Any) -> list[tuple[Any, ...]]:
    """Run a statement of this room over some deals."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8").format(rows=rows)
    with connection.cursor() as cursor:
        cursor.execute(text, {"zone": timelines.ZONE, **given})
        return list(cursor.fetchall())


def forecast(actor: Any, per: str, today: date) -> Forecast:
    """Roll up what the actor may see: one grouped query over the deals, the tree in memory."""
    ahead = periods(per, today)
    first, after = ahead[0].first, ahead[-1].after
    where = Q(outcome="OPEN") & (Q(expected_on=None) | Q(expected_on__lt=after))
    where |= Q(outcome="WON", closed_at__gte=ahead[0].start, closed_at__lt=ahead[-1].end)
    groups = ask("forecast", seen(actor, where, *_COLUMNS), per=per, late=first)
    nodes, top = _tree({row[0] for row in groups}, today)
    for person, period, *group in groups:
        node: Node | None = nodes[("person", person or 0)]
        while node is not None:
            node.of(period).add(*group)
            node = nodes.get(node.parent) if node.parent else None
    adjusted = _adjusted(actor, [one.first for one in ahead]) if per == "month" else {}
    return Forecast(ahead, nodes, _narrowed(top), adjusted)


def _tree(numbers: set[int | None], today: date) -> tuple[dict[Key, Node], Node]:
    """Teams over teams over these people; whoever has no team stands under the company."""
    rows = Team.objects.everything("组织人人可读").present().order_by("code")
    teams = list(rows.values_list("pk", "name", "parent_id", "leader_id"))
    nodes = {
        ("team", pk): Node(("team", pk), name, ("team", above) if above else None, leader)
        for pk, name, above, leader in teams
    }
    root = next((n for n in nodes.values() if n.parent is None), Node(("team", 0), "公司"))
    nodes.setdefault(root.key, root)
    there = (
        Membership.objects.everything("组织人人可读")
        .present()
        .filter(
            Q(ends_on=None) | Q(ends_on__gte=today),
            person__in=[n for n in numbers if n],
            is_main=True,
            starts_on__lte=today,
        )
    )
    posts = dict(there.values_list("person_id", "team_id"))
    people = Person.objects.everything("负责人的姓名").filter(pk__in=[n for n in numbers if n])
    for pk, name in [*people.values_list("pk", "name"), *([(0, "无人负责")] * (None in numbers))]:
        above = ("team", posts[pk]) if pk in posts else root.key
        nodes[("person", pk)] = Node(("person", pk), name, above if above in nodes else root.key)
    _hang(nodes, root)
    return nodes, root


def _hang(nodes: Mapping[Key, Node], root: Node) -> None:
    """Put every node that leads to a person under the one above it, teams first."""
    kept: set[Key] = set()
    for node in [n for n in nodes.values() if n.key[0] == "person"]:
        one: Node | None = node
        while one is not None and one.key not in kept:
            kept.add(one.key)
            one = nodes.get(one.parent) if one.parent else None
    for node in nodes.values():
        if node.key in kept and node.parent and node is not root:
            nodes[node.parent].below.append(node)


def _narrowed(top: Node) -> Node:
    """The lowest team that holds all there is: nobody opens the company to find one team in it."""
    while len(top.below) == 1 and top.below[0].key[0] == "team":
        top = top.below[0]
    return top


def _adjusted(actor: Any, months: Sequence[date]) -> dict[tuple[Key, date], Adjustment]:
    """The newest word on each person and team in these months."""
    rows = Adjustment.objects.seen_by(actor).present().filter(month__in=months)
    found: dict[tuple[Key, date], Adjustment] = {}
    for one in rows.select_related("author").order_by("id"):
        key = ("person", one.person_id) if one.person_id else ("team", one.team_id)
        found[(key, one.month)] = one
    return found


# --- what changed since a snapshot


@dataclass(frozen=True)
class Change:
    """One open deal of a period that is not as it was in a snapshot."""

    kind: str
    number: int
    was: Decimal | None
    now: Decimal | None
    was_on: date | None
    now_on: date | None
    moved: Decimal


# From day to day through the index: of a million rows there are a few dozen days.
_DAYS: Final = """
WITH RECURSIVE known (day) AS (
  SELECT max(taken_on) FROM opportunities_snapshot
  UNION ALL
  SELECT (SELECT max(s.taken_on) FROM opportunities_snapshot s WHERE s.taken_on < known.day)
    FROM known WHERE known.day IS NOT NULL
)
SELECT day FROM known WHERE day IS NOT NULL LIMIT %s
"""
KINDS: Final = {
    "NEW": "新增", "IN": "移入", "GROWN": "增额", "SHRUNK": "减额",
    "OUT": "移出", "LOST": "输单或放弃", "WON": "已签",
}  # fmt: skip


@dataclass(frozen=True)
class Bridge:
    """From what was open at a snapshot to what is open now, step by step; it always adds up."""

    day: date
    start: Decimal
    end: Decimal
    steps: dict[str, tuple[int, Decimal]]
    changes: list[Change]  # those whose figures moved most
    number: int  # how many changed at all


def bridge(actor: Any, period: spans.Period, day: date, people: Iterable[int] | None) -> Bridge:
    """What became since a snapshot of the open deals expected in a period."""
    given = {"day": day, "first": period.first, "after": period.after, "most": MOST_CHANGES}
    given["people"] = None if people is None else sorted(people)
    rows = ask("bridge", seen(actor, None, *_COLUMNS), **given)
    sums = {kind: (number, total, base) for kind, *_, number, total, base in rows}
    steps = {kind: sums[kind][:2] if kind in sums else (0, NOTHING) for kind in KINDS}
    start = sum((base for _, _, base in sums.values()), NOTHING)
    end = start + sum((moved for _, moved in steps.values()), NOTHING)
    shown = [Change(*row[:7]) for row in rows if row[0] != "SAME" and row[7] <= MOST_CHANGES]
    number = sum(number for number, _ in steps.values())
    return Bridge(day, start, end, steps, shown, number)


def snapshot_days(most: int = 26) -> list[date]:
    """The days of the last snapshots, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [most])
        return [row[0] for row in cursor.fetchall()]


# --- how good forecasts were


@dataclass(frozen=True)
class Month:
    """What a month's first snapshot expected of it, and what was signed in it."""

    first: date
    weighted: Decimal | None
    commit: Decimal | None
    best: Decimal | None
    won: Decimal | None

    def right(self, told: Decimal | None) -> float | None:
        """How near a forecast came, 0 to 1 (PS-1.1b); None where either is missing."""
        if told is None or not self.won:
            return None
        return max(0.0, 1 - abs(float(told) - float(self.won)) / float(self.won))


def months(actor: Any, today: date, people: Iterable[int] | None, most: int = 12) -> list[Month]:
    """The last months, the running one included, as far as anything is known of them."""
    since = today.replace(day=1)
    for _ in range(most - 1):
        since = (since - timedelta(days=1)).replace(day=1)
    given = {"since": since, "from": spans.midnight(since)}
    given["people"] = None if people is None else sorted(people)
    return [Month(*row) for row in ask("accuracy", seen(actor), **given)]


@dataclass(frozen=True)
class Odds:
    """How many of the closed deals that were in a stage were won: all, and some people's."""

    ended: int
    won: int
    own_ended: int
    own_won: int

    @property
    def rate(self) -> float | None:
        """The share won, 0 to 1."""
        return self.won / self.ended if self.ended else None

    @property
    def own_rate(self) -> float | None:
        """The share won of these people's."""
        return self.own_won / self.own_ended if self.own_ended else None


def odds(actor: Any, since: date, people: Iterable[int]) -> dict[int, Odds]:
    """By stage, what came of the deals closed since a day."""
    given = {"from": spans.midnight(since), "people": sorted(people)}
    return {pk: Odds(*row) for pk, *row in ask("calibration", seen(actor), **given)}
