"""`make bench`: fill databases, measure, print a table and write it to `bench.md` in the data folder.

ARGS: `--sizes S,M,L` which databases; `--keep` leaves and reuses filled ones; `--only
sweep,compare,pages,board,import,kills,collisions,histories`; `--histories` how many, from which
`--seed` on; `--collisions` how many attempts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench import deals, fill, measure, proof
from bench.table import Results

# The last one takes hours.
PARTS = ("sweep", "compare", "pages", "board", "import", "kills", "collisions", "histories")
SIZED = {"sweep", "compare", "pages"}


def _url(base: str, name: str) -> str:
    return urlunsplit(urlsplit(base)._replace(path=f"/{name}"))


def _bootstrap(url: str) -> str:
    """The same database as the role that made the cluster: only it may load with triggers off."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"postgres@{host}"))


def _manage(url: str, *words: str) -> None:
    env = os.environ | {"DATABASE_URL": url}
    subprocess.run([sys.executable, "manage.py", *words], env=env, check=True)


def _database(size: str, keep: bool) -> tuple[str, bool]:
    """The owner's URL of the prepared database of a size, and whether it is freshly made."""
    owner = os.environ["DATABASE_OWNER_URL"]
    name = f"bench_{size.lower()}"
    with psycopg.connect(_url(owner, "postgres"), autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        fresh = not (known and keep)
        if fresh:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
    # A kept database may be older than the code.
    _manage(_url(owner, name), "migrate", "-v0")
    _manage(_url(owner, name), "prepare")
    return _url(owner, name), fresh


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--sizes", default="S,M,L")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--histories", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--collisions", type=int, default=10_000)
    chosen = parser.parse_args()
    results = Results(Path(os.environ["FY_DATA"]).parent / "bench.md")
    parts = chosen.only.split(",")
    for size in chosen.sizes.split(",") if SIZED & set(parts) else ():
        print(f"size {size}: {fill.SIZES[size]:,} customers", flush=True)
        url, fresh = _database(size, chosen.keep)
        if fresh:
            with results.timed(f"{size}: fill with COPY and SQL", "minutes"):
                fill.fill(_bootstrap(url), size, measure.hashed())
        app = _url(os.environ["DATABASE_APP_URL"], f"bench_{size.lower()}")
        if "sweep" in parts:
            measure.sweeps(results, size, url)
        if "compare" in parts:
            measure.compare(results, size, url)
        if "pages" in parts:
            measure.pages(results, size, app)
    if "board" in parts:
        _board(results, chosen.keep)
    if "import" in parts:
        measure.imports(results, _database("import", keep=False)[0])
    agrees = _proof(results, parts, chosen)
    print(f"written to {results.path}")
    return 0 if agrees else 1


def _board(results: Results, keep: bool) -> None:
    """The board and the forecast, in a database of their own."""
    url, fresh = _database("board", keep)
    if fresh:
        with results.timed(f"board: fill {deals.OPEN:,} open opportunities", "minutes"):
            deals.filled(_bootstrap(url), measure.hashed())
    deals.board(results, url, _url(os.environ["DATABASE_APP_URL"], "bench_board"))


def _proof(results: Results, parts: list[str], chosen: argparse.Namespace) -> bool:
    """Whether the engine stands the parts that prove it, in as many databases as there are cores."""
    agrees = True
    if "collisions" in parts:
        owner = os.environ["DATABASE_OWNER_URL"]
        agrees = proof.collisions(results, owner, chosen.collisions)
    if not {"kills", "histories"} & set(parts):
        return agrees
    number = max(2, os.cpu_count() or 2)
    urls = [_database(f"proof{place}", keep=False)[0] for place in range(number)]
    if "kills" in parts:
        agrees &= proof.kills(results, urls)
    if "histories" in parts:
        agrees &= proof.histories(results, urls, chosen.histories, chosen.seed)
    return agrees


if __name__ == "__main__":
    sys.exit(main())
