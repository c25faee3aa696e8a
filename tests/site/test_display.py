"""How money, moments, spans and rates read; every moment is given, no clock is asked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template, TemplateSyntaxError

from fangyuan.site import display, marks

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 19, 9, 42, tzinfo=ZONE)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def ahead(**span: float) -> datetime:
    return NOW + timedelta(**span)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("3382000"), "338.2 万"),
        (Decimal("15860000"), "1,586.0 万"),
        (Decimal("338250.00"), "33.8 万"),
        (Decimal("500"), "0.1 万"),
        (Decimal("300"), "300 元"),
        (Decimal("0"), "0.0 万"),
        (Decimal("-12500"), "-1.3 万"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_money_in_a_list_is_ten_thousands_to_one_place(value: object, shown: str) -> None:
    assert display.money(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("4120000", "412.0"), ("300", "0.03"), ("20", "<0.01"), ("0", "0.0"), (None, "–")],
)
def test_a_column_of_ten_thousands_never_shows_a_small_sum_as_nothing(
    value: object, shown: str
) -> None:
    assert display.wan(value) == shown


def test_money_on_a_document_has_two_places() -> None:
    assert display.yuan(Decimal("864000.5")) == "¥864,000.50"
    assert display.yuan(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.942"), "94.2%"),
        (1, "100.0%"),
        (0, "0.0%"),
        (Decimal("0.9996"), "99.9%"),
        (0.5, "50.0%"),
        (None, "–"),
    ],
)
def test_a_rate_has_one_place_and_only_the_whole_is_a_hundred(value: object, shown: str) -> None:
    assert display.pct(value) == shown


@pytest.mark.parametrize(
    ("value", "tone"),
    [("0.95", ""), ("0.9499", "soon"), ("0.85", "soon"), ("0.8499", "bad"), (None, "")],
)
def test_a_rate_turns_amber_below_the_goal_and_red_below_the_floor(value: str, tone: str) -> None:
    assert display.rate_tone(value) == tone


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (ago(minutes=17), "09:25"),
        (ago(hours=9), "00:42"),
        (ago(hours=10), "昨天"),
        (ago(days=3), "3 天前"),
        (ago(days=7), "7 天前"),
        (ago(days=8), "11-11"),
        (ago(days=366), "2025-11-18"),
        (ahead(hours=3), "12:42"),
        (ahead(days=1), "明天"),
        (ahead(days=3), "3 天后"),
        (ahead(days=60), "2027-01-18"),
        (date(2026, 11, 19), "今天"),
        (date(2026, 11, 18), "昨天"),
        (None, "–"),
    ],
)
def test_a_moment_reads_as_one_says_it(at: date | datetime | None, shown: str) -> None:
    assert display.when(at, NOW) == shown


@pytest.mark.parametrize(
    ("at", "shown", "in_full"),
    [
        (datetime(2026, 11, 20, tzinfo=NOW.tzinfo), "24:00", "2026-11-19 24:00"),
        (datetime(2026, 11, 21, tzinfo=NOW.tzinfo), "明天", "2026-11-20 24:00"),
        (datetime(2026, 11, 19, tzinfo=NOW.tzinfo), "昨天", "2026-11-18 24:00"),
        (ahead(hours=3), "12:42", "2026-11-19 12:42"),
        (None, "–", "–"),
    ],
)
def test_a_deadline_at_midnight_belongs_to_the_day_before(at, shown, in_full) -> None:
    assert (display.deadline(at, NOW), display.deadline_in_full(at)) == (shown, in_full)


def test_yesterday_is_told_by_the_local_day_not_by_hours() -> None:
    late_yesterday_in_utc = datetime(2026, 11, 18, 15, 59, tzinfo=ZoneInfo("UTC"))
    early_today_in_utc = datetime(2026, 11, 18, 16, 1, tzinfo=ZoneInfo("UTC"))
    assert display.when(late_yesterday_in_utc, NOW) == "昨天"
    assert display.when(early_today_in_utc, NOW) == "00:01"


def test_a_timeline_moment_has_day_and_time() -> None:
    assert display.moment(ahead(hours=1), NOW) == "今天 10:42"
    assert display.moment(ago(hours=13), NOW) == "昨天 20:42"
    assert display.moment(ago(days=8), NOW) == "11-11 09:42"
    assert display.moment(ago(days=366), NOW) == "2025-11-18 09:42"
    assert display.moment(None, NOW) == "–"


@pytest.mark.parametrize(
    ("due", "clock", "cell", "words"),
    [
        (ahead(days=2, hours=3), "2 天", "剩 2 天", "剩 2 天 3 小时"),
        (ahead(days=1, seconds=1), "1 天", "剩 1 天", "剩 1 天"),
        (ahead(days=1), "24:00:00", "24:00:00", "剩 1 天"),
        (
            ahead(hours=1, minutes=42, seconds=8),
            "1:42:08",
            "1:42:08",
            "剩 1 小时 42 分",
        ),
        (ahead(seconds=30), "0:00:30", "0:00:30", "剩 不到 1 分"),
        (NOW, "刚到期", "刚到期", "刚到期"),
        (ago(minutes=17), "逾 17 分", "逾 17 分", "逾 17 分"),
        (ago(hours=5, minutes=50), "逾 5 小时", "逾 5 小时", "逾 5 小时"),
        (ago(days=3, hours=2), "逾 3 天", "逾 3 天", "逾 3 天"),
        (None, "–", "–", "–"),
    ],
)
def test_time_left_in_clock_cell_and_words(
    due: datetime | None, clock: str, cell: str, words: str
) -> None:
    assert display.countdown(due, NOW) == clock
    assert display.left(due, NOW) == cell
    assert display.left_words(due, NOW) == words


@pytest.mark.parametrize(
    ("due", "start", "tone"),
    [
        (ahead(days=3), ago(days=1), ""),
        (ahead(hours=8), None, "soon"),
        (ahead(hours=8, seconds=1), None, ""),
        (ahead(days=1), ago(days=3), "soon"),
        (ahead(days=1, seconds=1), ago(days=3), ""),
        (NOW, ago(days=1), "bad"),
        (None, None, ""),
    ],
)
def test_a_clock_is_amber_in_its_last_quarter_or_eight_hours(
    due: datetime | None, start: datetime | None, tone: str
) -> None:
    assert display.due_tone(due, NOW, start) == tone


def test_a_day_is_greeted_with_its_weekday() -> None:
    assert display.day_words(NOW) == "11 月 19 日 周四"
    assert display.day_words(date(2026, 1, 4)) == "1 月 4 日 周日"
    assert display.day_words(None) == "–"


def test_a_length_reads_in_its_two_largest_units() -> None:
    assert display.span(timedelta(hours=5, minutes=12, seconds=40)) == "5 小时 12 分"
    assert display.span(timedelta(days=2, minutes=5)) == "2 天 5 分"
    assert display.span(90) == "1 分"
    assert display.span(5) == "不到 1 分"
    assert display.span(None) == "–"


def test_a_closed_duty_keeps_its_own_colour_an_open_one_takes_its_clocks() -> None:
    assert display.clause_state("MET", "bad") == "ok"
    assert display.clause_state("BREACHED") == "bad"
    assert display.clause_state("LATE") == "soon"
    assert display.clause_state("WAIVED", "bad") == ""
    assert display.clause_state("OPEN", "soon") == "soon"
    assert display.clause_state(None) == ""


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345621", "138****5621"),
        ("+8613812345621", "+86138****5621"),
        ("021-5588", "02****88"),
        ("110", "****"),
        ("", "–"),
        (None, "–"),
    ],
)
def test_a_phone_number_hides_its_middle(phone: str | None, shown: str) -> None:
    assert display.mask_phone(phone) == shown


def test_a_missing_value_reads_as_a_dash_and_nought_does_not() -> None:
    assert [display.dash(v) for v in (None, "", [], 0, "甲")] == ["–", "–", "–", 0, "甲"]


def test_a_picture_shows_one_character_in_a_colour_that_stays() -> None:
    assert display.surname_char("周敏") == "周"
    assert display.surname_char("li wei") == "L"
    assert display.surname_char("  ") == "?"
    assert marks.avatar("周敏", 7) == marks.avatar("周明", 7)
    assert marks.avatar("周敏") == marks.avatar("周敏")


def test_marks_escape_what_people_wrote() -> None:
    evil = '"><script>x</script>'
    pieces = [
        marks.clause(evil, evil, "bad", evil),
        marks.who(evil),
        marks.tag(evil),
        marks.badge(evil),
        marks.grade(evil),
        marks.seal(evil),
    ]
    assert all("<script" not in piece for piece in pieces)
    assert all('href=""' not in piece for piece in pieces)


def test_a_spark_needs_two_numbers_and_ends_in_its_box() -> None:
    assert "–" in marks.spark([3])
    assert "–" in marks.spark([None, 3])
    flat = marks.spark([5, 5, 5])
    assert "nan" not in flat
    assert "84.0,26.0" in flat


def test_a_bar_and_a_ring_stay_within_a_hundred() -> None:
    assert 'width="100.0%"' in marks.bar(140)
    assert 'width="0.0%"' in marks.bar(None)
    assert ">100<" in marks.ring(140)
    assert ">–<" in marks.ring(None)


def render(source: str, **context: object) -> str:
    return Template("{% load fy %}" + source).render(Context(context))


def test_filters_take_now_as_their_argument() -> None:
    shown = render("{{ at|when:now }} {{ due|left:now }}", at=ago(days=1), due=NOW, now=NOW)
    assert shown == "昨天 刚到期"


def test_a_countdown_reads_right_before_any_script_runs() -> None:
    html = render("{% cd due start %}", due=ahead(hours=1), start=ago(hours=23), now=NOW)
    assert 'class="cd soon"' in html
    assert 'data-due="2026-11-19T10:42:00+08:00"' in html
    assert ">1:00:00<" in html


def test_a_countdown_without_now_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% cd due %}", due=NOW)
