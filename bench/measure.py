"""The measurements: the sweep, pages under load, an import."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psycopg

from bench import fill, load
from bench.table import Results

PASSWORD = "bench"
FOLLOWING = 8  # rounds of changes
API = "/api/customer/?page_size=40"  # as many rows as a page of the list
REP, BOSS = "b21", "b221"
LATENCY = ["/customer/", "/customer/?q=华盛", "/customer/?q=hsyd", "/", "/cockpit"]
SEARCH = "/customer/?q=华盛"
PAST = "/cockpit?as_of=2026-10-31"


def hashed() -> str:
    """The password of everybody in the filled databases, as it is stored."""
    import django
    from django.contrib.auth.hashers import make_password

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")
    django.setup()
    return make_password(PASSWORD)


def child(url: str, *words: str) -> list[list[str]]:
    """The measurements of a process of its own: words by line."""
    env = os.environ | {"DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", *words],
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


def _swept(url: str) -> datetime | None:
    """When a kept database was swept last, for a sweep never goes back; None if it never was."""
    with psycopg.connect(url) as connection:
        last = connection.execute("SELECT max(as_of) FROM engine_progress").fetchone()
    return max(fill.NOW, last[0]) if last and last[0] else None


def sweeps(results: Results, size: str, url: str) -> None:
    """A first full sweep, a second one, and those that follow 1,000 changed records."""
    last = _swept(url)
    at = last or fill.NOW
    if last is None:
        [(seconds, rows)] = child(url, "full", at.isoformat())
        said = f"{size}: first full sweep, {int(rows):,} rows"
        results.add(said, f"{float(seconds):.1f} s", "L ≤ 300 s")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
    [(seconds, rows)] = child(url, "full", at.isoformat())
    said = f"{size}: second full sweep, rows written {rows}"
    results.add(said, f"{float(seconds):.1f} s", "0 rows")
    first, *rest = child(url, "follow", at.isoformat(), "1000", str(FOLLOWING))
    written, changed = int(rest[-1][1]), int(rest[-1][2])
    taken = statistics.median(float(one[0]) for one in rest)
    said = f"{size}: sweep after {changed:,} changed records, {written:,} rows written"
    results.add(said, f"{taken:.3f} s", "L ≤ 1 s, ≤ 2 × S")
    results.add(f"{size}: the first such sweep of a new process", f"{float(first[0]):.3f} s")


def compare(results: Results, size: str, url: str) -> None:
    """Some rules beside the best SQL written by hand for them, each filling an empty ledger."""
    by_hand = by_engine = 0.0
    for clause, rows, hand, engine, wrong in child(url, "compare", "2"):
        by_hand, by_engine = by_hand + float(hand), by_engine + float(engine)
        said = f"{size}: {clause}, {int(rows):,} rows, by hand / engine"
        _told_beside(results, said, float(hand), float(engine), f"{wrong} differ")
    _told_beside(results, f"{size}: these rules together", by_hand, by_engine, "≤ 1.5 ×")


def _told_beside(results: Results, said: str, hand: float, engine: float, wanted: str) -> None:
    results.add(said, f"{hand:.2f} / {engine:.2f} s = {engine / hand:.2f} ×", wanted)


@contextmanager
def serving(url: str) -> Iterator[tuple[int, int]]:
    """Two web workers on a free port; gives the port and the server's process number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # As `make run` serves.
    env = os.environ | {"DATABASE_URL": url, "MALLOC_ARENA_MAX": "2"}
    server = subprocess.Popen(
        [
            *(sys.executable, str(Path(__file__).resolve().parents[1] / "manage.py"), "serve"),
            *("--workers", "2", "--port", str(port)),
        ],
        env=env,
    )
    try:
        for _ in range(200):
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=2)
                break
            time.sleep(0.1)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(20)


def family(parent: int) -> list[int]:
    """The numbers of a process and its children."""
    numbers = [str(parent)]
    with suppress(subprocess.CalledProcessError):
        numbers += subprocess.check_output(["pgrep", "-P", str(parent)], text=True).split()
    return [int(number) for number in numbers]


def _memory(parent: int) -> float:
    """Resident megabytes (proportional share) of a process and its children."""
    total = 0
    for number in family(parent):
        with suppress(OSError):
            found = re.search(
                r"^Pss:\s+(\d+)", Path(f"/proc/{number}/smaps_rollup").read_text(), re.M
            )
            total += int(found.group(1)) if found else 0
    return total / 1024


def _own(url: str, login: str) -> list[int]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT h.subject_id FROM org_holding h JOIN org_person p ON p.id = h.person_id"
            " WHERE p.login = %s ORDER BY 1 LIMIT 500",
            [login],
        )
        return [row[0] for row in found]


def pages(results: Results, size: str, url: str) -> None:
    """Latency of one client and throughput of eight, as reps whose rows are their own."""
    with serving(url) as (port, server):
        rep, boss = load.Client(port, REP, PASSWORD), load.Client(port, BOSS, PASSWORD)
        for who, client, paths in (
            ("rep", rep, [*LATENCY, PAST, f"/customer/{_own(url, REP)[0]}"]),
            ("director", boss, ["/customer/", "/customer/?q=华盛", "/cockpit", PAST]),
        ):
            for path, (middle, most) in load.latency(client, paths).items():
                name = re.sub(r"[0-9]+", "N", path)
                said = f"{middle:.0f} / {most:.0f} ms"
                wanted = "p95 ≤ 200 ms" if path == PAST else "p95 ≤ 100 ms"
                results.add(f"{size}: {who} {name} median / p95", said, wanted)
        clients = [load.Client(port, f"b{21 + n}", PASSWORD) for n in range(8)]
        _throughputs(results, size, clients, [_own(url, c.login) for c in clients])
        results.add(f"{size}: two web workers", f"{_memory(server):.0f} MB", "≤ 250 MB")


def _deep(client: load.Client) -> str:
    """The address of a page far down the customer list."""
    address = "/customer/"
    for _ in range(5):
        _, page = client.get(address)
        after = re.search(rb'(?:href|hx-get)="([^"]*after=[^"]*)"', page)
        if after is None:
            break
        found = after.group(1).decode().replace("&amp;", "&")
        address = found if found.startswith("/") else "/customer/" + found
    return address


def _create(client: load.Client, number: int) -> int:
    stamp = f"{time.time_ns()}{number}"
    status, _ = client.post(
        "/customer/new",
        {
            "name": f"试建{stamp}有限公司",
            "kind": "ORG",
            "source": "source:REFERRAL",
            "grade": "D",
            "learned_at": "2026-11-25T09:00",
            "address": "苏州市 1 号",
            "level": "PUBLIC",
            "child__name": "王工",
            "child__phone": f"199{int(stamp[-8:]):08d}",
        },
    )
    return status if status == 302 else 599


def _deep_rows(client: load.Client) -> str:
    """The same of the API's list."""
    address = API
    for _ in range(5):
        after = json.loads(client.get(address)[1])["next"]
        address = f"{API}&after={after}" if after else API
    return address


def _tell_new(client: load.Client, number: int) -> int:
    stamp = f"{time.time_ns()}{number}"
    status, _ = client.tell(
        "/api/customer/",
        {
            "name": f"试建{stamp}有限公司",
            "kind": "ORG",
            "source": "REFERRAL",
            "learned_at": "2026-11-25T09:00:00+08:00",
            "address": "苏州市 1 号",
            "level": "PUBLIC",
            "contacts": {"name": "王工", "phone": f"199{int(stamp[-8:]):08d}"},
        },
    )
    return status if status == 201 else 599


def _throughputs(
    results: Results, size: str, clients: list[load.Client], own: list[list[int]]
) -> None:
    place = {id(client): n for n, client in enumerate(clients)}
    deep = {id(client): _deep(client) for client in clients}
    deep_rows = {id(client): _deep_rows(client) for client in clients}

    def customer(client: load.Client, number: int) -> int:
        numbers = own[place[id(client)]]
        return client.get(f"/customer/{numbers[number % len(numbers)]}")[0]

    def mixed(client: load.Client, number: int) -> int:
        if number % 5 == 4:
            return customer(client, number)
        return client.get(["/customer/", SEARCH, "/", "/cockpit"][number % 5])[0]

    jobs = [
        ("mix of five pages", mixed, "L ≥ 60/s"),
        ("customer list, first page", lambda c, n: c.get("/customer/")[0], "M ≥ 200/s"),
        ("customer list, deep page", lambda c, n: c.part(deep[id(c)], "rows")[0], "M ≥ 200/s"),
        ("2-character search", lambda c, n: c.part(SEARCH, "list")[0], "M ≥ 200/s"),
        ("customer page", customer, "M ≥ 100/s"),
        ("create with rules, duplicates, log", _create, "M ≥ 120/s"),
        ("API list, first page", lambda c, n: c.get(API)[0], "M ≥ 200/s"),
        ("API list, deep page", lambda c, n: c.get(deep_rows[id(c)])[0], "M ≥ 200/s"),
        ("API 2-character search", lambda c, n: c.get(f"{API}&q=华盛")[0], "M ≥ 200/s"),
        ("API create with rules, duplicates, log", _tell_new, "M ≥ 120/s"),
    ]
    for what, ask, wanted in jobs:
        rate, wrong = load.throughput(clients, ask, 8)
        said = f"{rate:.0f}/s" + (f", {wrong} wrong" if wrong else "")
        results.add(f"{size}: 8 clients, {what}", said, wanted)


def imports(results: Results, url: str, number: int = 100_000) -> None:
    """An xlsx of customers with their main contacts through the command line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.xlsx"
        _workbook(path, number)
        env = os.environ | {"DATABASE_URL": url}
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "manage.py", "import", "customer", str(path), "--by", "admin"],
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        taken = time.perf_counter() - begun
        peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
        if done.returncode:
            print(done.stderr[-2000:])
        said = f"{number / taken:.0f} rows/s" if done.returncode == 0 else "refused"
        results.add(f"import of {number:,} customers from xlsx", said, "≥ 3,000 rows/s")
        results.add("import: peak memory", f"{peak:.0f} MB", "≤ 400 MB")


def _workbook(path: Path, number: int) -> None:
    from fangyuan.core import tables

    header = [
        "法定全称",
        "注册地址",
        "来源",
        "信息获取",
        "行业",
        "主要联系人 姓名",
        "主要联系人 电话",
    ]
    rows = (
        [
            f"{name}分{place}",
            f"苏州市星湖街 {place} 号",
            "客户推荐",
            "2026-11-24 09:00",
            "汽车制造业",
            "王工",
            f"198{place:08d}",
        ]
        for place, name in enumerate(fill.names(number))
    )
    tables.write_xlsx(path, header, rows)
