"""The board and the forecast with 20,000 open opportunities of 200 reps: pages, moves, roll-up.

Others may share the machine, so that beside the wall clock stands what the web workers and the
database spent of the processor.
"""

from __future__ import annotations

import itertools
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg

from bench import fill, load, measure
from bench.table import Results

OPEN, ENDED = 20_000, 4_000
ROUNDS = 30
TABLES = [
    *("opportunities_opportunity", "opportunities_stageentry", "opportunities_rivalry"),
    *("opportunities_snapshot", "org_holding"),
]
CONTACTS = "UPDATE customers_contact SET roles = '{DECIDER,INFLUENCER}'"
DEALS = """
INSERT INTO opportunities_opportunity (name, customer_id, pipeline_id, stage_id, outcome, closed_at,
       origin, source_id, tag_source, amount, expected_on, win_rate, forecast, needs_summary, real_need,
       pain, business_goal, timeframe, budget, need_ok, decision_chain, authority, current_solution, fit,
       initiated_at, evaluated_at, evaluation, feasibility, need_traits, purchasing_power, next_step,
       recorded_at, recorded_by, imported_at, key)
SELECT '检测线改造' || n, c.id, s.pipeline_id, s.id,
       CASE WHEN n <= %(open)s THEN 'OPEN' WHEN n %% 2 = 0 THEN 'WON' ELSE 'DROPPED' END,
       CASE WHEN n > %(open)s THEN %(now)s::timestamptz - interval '1 day' * (n %% 300) END,
       'NEW', 'source:REFERRAL', 'OTHER', 50000 + (n * 7919) %% 2000000,
       (%(now)s::timestamptz + interval '1 day' * (n * 13 %% 150 - 10))::date, s.win_rate,
       (ARRAY['PIPELINE', 'PIPELINE', 'BEST', 'COMMIT'])[1 + n %% 4],
       '两条线', '替换人工', '漏检', '漏检率减半', '下季度', '八十万', true, '技术、采购、副总', '副总',
       '人工抽检', 'HIGH', %(now)s::timestamptz - interval '20 days',
       %(now)s::timestamptz - interval '20 days', 'PASS', 'FEASIBLE', '多厂区', '年投入两千万', '约见面',
       %(now)s::timestamptz - interval '1 day' * (n %% 90), 0, %(now)s, 'deal' || n
  FROM generate_series(1, %(open)s + %(ended)s) n
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM customers_customer) c
       ON c.place = 1 + n %% 10000
  JOIN (SELECT id, pipeline_id, win_rate, row_number() OVER (ORDER BY seq) - 1 AS place
          FROM opportunities_stage
         WHERE pipeline_id = 'pipeline:s1s7' AND owner_record = 'OPPORTUNITY') s
       ON s.place = n %% 6;
INSERT INTO opportunities_stageentry (subject_type, subject_id, stage_id, entered_at, recorded_at,
       recorded_by, imported_at)
SELECT 'opportunity', o.id, o.stage_id, o.recorded_at, o.recorded_at, 0, %(now)s
  FROM opportunities_opportunity o;
INSERT INTO org_holding (subject_type, subject_id, person_id, role, can_write, starts_at, recorded_at,
       recorded_by, imported_at)
SELECT 'opportunity', o.id, p.id, 'OWNER', true, o.recorded_at, o.recorded_at, 0, %(now)s
  FROM opportunities_opportunity o JOIN org_person p ON p.login = 'b' || (21 + o.id %% 200);
INSERT INTO opportunities_rivalry (opportunity_id, rival_id, seen_at, recorded_at, recorded_by,
       imported_at)
SELECT o.id, (SELECT key FROM core_term WHERE domain = 'competitor' LIMIT 1), o.recorded_at,
       o.recorded_at, 0, %(now)s FROM opportunities_opportunity o WHERE o.outcome = 'OPEN';
INSERT INTO opportunities_snapshot (taken_on, is_opening, opportunity_id, person_id, stage_id, amount,
       expected_on, win_rate, forecast)
SELECT d.day, extract(day FROM d.day) <= 7, o.id, h.person_id, o.stage_id,
       o.amount * (0.8 + (o.id %% 5) / 10.0), o.expected_on - (o.id %% 40)::integer, o.win_rate,
       o.forecast
  FROM opportunities_opportunity o
  JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
 CROSS JOIN (SELECT (%(now)s::timestamptz - interval '7 days' * w)::date AS day
               FROM generate_series(1, 12) w) d
"""
BOARD = "/pipeline/s1s7"
PART = {"HX-Request": "true"}


def filled(url: str, password: str) -> None:
    """Fill an empty, prepared database with the smallest company and its opportunities."""
    fill.fill(url, "S", password)
    given = {"open": OPEN, "ended": ENDED, "now": fill.NOW}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        blanks = cursor.execute(fill.BLANK, [TABLES]).fetchall()
        for beginning, _ in blanks:
            cursor.execute(beginning)
        cursor.execute(CONTACTS)
        for statement in DEALS.split(";\n"):
            cursor.execute(statement, given)
        for _, ending in blanks:
            cursor.execute(ending)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def board(results: Results, url: str, app: str) -> None:
    """The board, a move, the forecast and its roll-up, as rep and as the director of all 200."""
    with measure.serving(app) as (port, server):
        meter = Meter(server, url)
        for who, login in (("rep", measure.REP), ("director", measure.BOSS)):
            client = load.Client(port, login, measure.PASSWORD)
            for path, wanted in (
                (BOARD, "p95 ≤ 150 ms"),
                ("/forecast", "p95 ≤ 200 ms"),
                ("/forecast/accuracy", "p95 ≤ 200 ms"),
            ):
                meter.told(
                    results, f"board: {who} {path}", wanted, lambda c=client, p=path: _got(c, p)
                )
            moves = _moves(url, login)
            said = f"board: {who} moves a card"
            meter.told(results, said, "p95 ≤ 100 ms", lambda c=client, m=moves: _moved(c, m))
    [(middle, most, rows)] = measure.child(url, "rolled", measure.BOSS)
    said = f"board: forecast of {rows} reps rolled up, median / most"
    results.add(said, f"{float(middle):.0f} / {float(most):.0f} ms", "≤ 200 ms")


def _got(client: load.Client, path: str) -> None:
    status, page = client.get(path)
    if status != 200:
        raise RuntimeError(f"{path}: {status} {page[:300]!r}")


def _moves(url: str, login: str) -> Iterator[tuple[int, int]]:
    """Which opportunity to move where: there and back again, many different ones."""
    with psycopg.connect(url) as connection:
        stages = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM opportunities_stage WHERE pipeline_id = 'pipeline:s1s7'"
                " AND code IN ('S2', 'S3') ORDER BY seq"
            )
        ]
        who = "p.login = %s" if login != measure.BOSS else "p.login <> %s"
        found = connection.execute(
            "SELECT o.id FROM opportunities_opportunity o JOIN org_holding h"  # noqa: S608 - fixed words
            " ON h.subject_type = 'opportunity' AND h.subject_id = o.id"
            f" JOIN org_person p ON p.id = h.person_id WHERE {who}"
            " AND o.outcome = 'OPEN' AND o.stage_id = %s ORDER BY o.id LIMIT 60",
            [login, stages[0]],
        ).fetchall()
    return itertools.cycle([(row[0], to) for row in found for to in stages[::-1]])


def _moved(client: load.Client, moves: Iterator[tuple[int, int]]) -> None:
    number, to = next(moves)
    status, page = client.post(f"/pipeline/move/{number}", {"to": str(to)}, **PART)
    if status != 204:
        raise RuntimeError(
            f"move of {number}: {status} {re.sub('<[^>]+>', ' ', page.decode())[:600]}"
        )


class Meter:
    """The processor time that a server's workers and its database spend."""

    def __init__(self, server: int, url: str) -> None:
        self.server, self.url = server, url

    def told(self, results: Results, said: str, wanted: str, do: Callable[[], None]) -> None:
        """Do something often and note how long it took and what it cost."""
        for _ in range(3):
            do()
        before, taken = self._spent(), []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            do()
            taken.append(1000 * (time.perf_counter() - begun))
        web, base = (after - was for after, was in zip(self._spent(), before, strict=True))
        middle, most = statistics.median(taken), statistics.quantiles(taken, n=20)[18]
        cost = f"{web / ROUNDS:.0f} + {base / ROUNDS:.0f} ms CPU"
        results.add(f"{said}: median / p95", f"{middle:.0f} / {most:.0f} ms, {cost}", wanted)

    def _spent(self) -> tuple[float, float]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            ).fetchall()
        return self._of(measure.family(self.server)), self._of([row[0] for row in rows])

    def _of(self, pids: list[int]) -> float:
        return sum(map(_spent_by, pids))


def _spent_by(pid: int) -> float:
    """Milliseconds of processor time of a process so far."""
    with suppress(OSError):
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
