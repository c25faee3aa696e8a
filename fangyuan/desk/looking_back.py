"""回看: which past instant a page is asked for with `?as_of=`, and what that page then must not do.

A day means its end, 24:00. Views that can be asked say so with `@looks_back`. The actor's present
rights decide what is seen, whatever they were then, and nothing can be changed while looking back.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from django.db.models import Q
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils import timezone

from fangyuan.core import past, spans
from fangyuan.desk.filters import BadQuery
from fangyuan.engine import history
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Holding

NAME, TIME = "as_of", "as_of_time"
DAY_LENGTH = 10  # YYYY-MM-DD
TICK = timedelta(microseconds=1)
EARLIEST = date(2000, 1, 1)
FOREVER = datetime(9999, 1, 1, tzinfo=spans.SHANGHAI)
_LINK = re.compile(r'(\s(?:href|hx-get)=")(/[^"?#]*)(?:\?([^"#]*))?(#[^"]*)?"')
_MAIN = re.compile(r"<main\b.*</main>", re.S)
View = TypeVar("View", bound=Callable[..., Any])


@dataclass
class AsOf:
    """The instant a page is asked for, as it was written in the address."""

    at: datetime
    text: str

    @property
    def now(self) -> datetime:
        """The moment from which time is told: at 24:00 it is still that day."""
        return self.at - TICK

    @property
    def day(self) -> date:
        """The day that the instant belongs to; 24:00 belongs to the day that ends."""
        return spans.ending(self.at)[0]

    @property
    def is_within_day(self) -> bool:
        """Whether it is an instant before the day's end."""
        return self.at != spans.midnight(self.day + timedelta(days=1))

    @property
    def said(self) -> str:
        """The instant in words: 2026-09-30 24:00."""
        day, time = spans.ending(self.at)
        return f"{day:%Y-%m-%d} {time}"

    @property
    def is_known(self) -> bool:
        """Whether the ledger remembers the instant; if not, it is inferred from today's facts."""
        return self.kept_since is not None and self.at >= self.kept_since

    @functools.cached_property
    def kept_since(self) -> datetime | None:
        """From when the ledger remembers; whoever learns it along with something else says so."""
        return history.kept_since()


class NotThere(Exception):
    """At that instant there was no such record; the message says since when there is."""


def record(found: Any, as_of: AsOf) -> Any:
    """A record as it was at the instant, for somebody who may see it now; raises NotThere.

    A duty is as the ledger held it; any other record has the values that the event log gives.
    """
    if isinstance(found, Obligation):
        return _duty(found, as_of)
    turned = past.turned([found], as_of.at)[0]
    if not past.was_there(turned, as_of.at):
        entered = getattr(found, "recorded_at", None)
        since = entered if entered is not None and entered > as_of.at else None
        raise NotThere(_absent(str(found._meta.verbose_name), as_of, since, "录入"))
    return turned


def _duty(found: Obligation, as_of: AsOf) -> Obligation:
    """The duty as it was known; where that is known, what is said today stands `beside` it."""
    both = history.both(found.pk, as_of.at)
    for one in both.values():
        as_of.kept_since = one.kept_since
    then = both.get(history.KNOWN if as_of.is_known else history.TODAY)
    if then is None:
        since = found.entered_at if as_of.is_known else found.began_at
        raise NotThere(_absent("义务", as_of, since, "记进账本"))
    then.beside = both.get(history.TODAY) if as_of.is_known else None
    return then


def owner(found: Any, as_of: AsOf) -> dict[int, int]:
    """The person who answered for a record at the instant, by the record's number."""
    held = Holding.objects.everything("这条记录在范围内").present().filter(role="OWNER")
    held = held.filter(subject_type=found.record_name(), subject_id=found.pk)
    then = Q(ends_at=None) | Q(ends_at__gte=as_of.at)
    rows = held.filter(then, starts_at__lt=as_of.at).order_by("starts_at")
    return dict(rows.values_list("subject_id", "person_id"))


def _absent(what: str, as_of: AsOf, since: datetime | None, how: str) -> str:
    if since is None:
        return f"{as_of.said} 时这条{what}在回收站里"
    entered = f"{timezone.localtime(since):%Y-%m-%d %H:%M}"
    return f"{as_of.said} 时还没有这条{what}，它在 {entered} {how}"


def looks_back(view: View) -> View:
    """Mark a view as one that can be asked for a past instant."""
    view.looks_back = True  # type: ignore[attr-defined]
    return view


def of(request: HttpRequest) -> AsOf | None:
    """The past instant that the page is asked for; None for now."""
    return getattr(request, NAME, None)


def read(params: Mapping[str, str], now: datetime) -> AsOf | None:
    """The instant in an address; None for today and now. Raises BadQuery."""
    text = params.get(NAME, "").strip()
    if not text:
        return None
    if len(text) == DAY_LENGTH and (time := params.get(TIME, "").strip()):
        text = f"{text}T{time}"
    at = _instant(text)
    if at is None:
        raise BadQuery(
            f"“{text[:40]}”认不出是什么时候，请写成 2026-09-30，或带时刻 2026-09-30T15:30"
        )
    if text == f"{timezone.localdate(now):%Y-%m-%d}":
        return None
    if at > now:
        raise BadQuery(f"{text} 还没有到，只能回看过去；请选今天以前的日子")
    if at < spans.midnight(EARLIEST):
        raise BadQuery(f"最早回看到 {EARLIEST:%Y-%m-%d}，请选晚一些的日子")
    return AsOf(at, text)


def _instant(text: str) -> datetime | None:
    try:
        if len(text) == DAY_LENGTH:
            return spans.midnight(date.fromisoformat(text) + timedelta(days=1))
        found = datetime.fromisoformat(text.replace(" ", "T"))
        return found if found.tzinfo else found.replace(tzinfo=spans.SHANGHAI)
    except OverflowError:  # the last day of all has no 24:00
        return FOREVER
    except ValueError:
        return None


def days(today: date) -> list[tuple[str, date]]:
    """Past days that are often asked for: yesterday and the ends of week, month and quarter."""
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    ends = {
        "昨天": today,
        "上周末": today - timedelta(days=today.weekday()),
        "上月末": month,
        "上季末": quarter,
    }
    return [(label, day - timedelta(days=1)) for label, day in ends.items()]


def carried(html: str, as_of: AsOf) -> str:
    """A page whose links to other pages that can look back lead to the same instant there.

    Only what the page itself shows is changed: the shell around it stays in the present.
    """
    main = _MAIN.search(html)
    start, end = main.span() if main else (0, len(html))

    def lead(found: re.Match[str]) -> str:
        before, path, query, place = found.groups(default="")
        if f"{NAME}=" in query or not _can(path):
            return found[0]
        more = "&amp;".join(filter(None, [query, f"{NAME}={quote(as_of.text)}"]))
        return f'{before}{path}?{more}{place}"'

    return html[:start] + _LINK.sub(lead, html[start:end]) + html[end:]


@functools.lru_cache(maxsize=4096)
def _can(path: str) -> bool:
    """Whether the page at this address can look back."""
    try:
        return hasattr(resolve(path).func, "looks_back")
    except Resolver404:
        return False
