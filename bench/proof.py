"""The proof of the engine at length: random histories by the million, a worker killed fifty times."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.table import Results
from tests.oracle import many

SIZE = 500
SHOWN = 20


def _place(url: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": url}


def histories(results: Results, urls: list[str], number: int, first: int) -> bool:
    """Compare so many histories, from a seed on; tells how far it is every minute.

    Says whether engine and oracle agree on all of them.
    """
    seeds = many.seeds(first, number, SIZE)
    begun = said = time.monotonic()
    for tally in many.run(seeds, SIZE, [_place(url) for url in urls]):
        now = time.monotonic()
        if now - said > 60 or tally.wrong:
            said, rate = now, tally.histories / (now - begun)
            left = (number - tally.histories) / rate / 3600
            print(f"  {tally}; {rate:.0f}/s, {left:.1f} h to go", flush=True)
        if len(tally.wrong) > SHOWN:
            break
    for one in tally.wrong[:SHOWN]:
        print(f"  {one}")
    rate = tally.histories / (time.monotonic() - begun)
    results.add(f"{tally}, seeds {first} to {first + tally.batches - 1}", f"{rate:.0f}/s", "0")
    return not tally.wrong


def collisions(results: Results, owner: str, number: int) -> bool:
    """So many attempts to agree, refuse, withdraw and edit, eight at a time; whether each request
    ended in one state, with one effect and one row of the log.

    It is the test of that name at full length: `owner` may make the database in which it runs.
    """
    place = _place(owner) | {"FY_TEST": "1", "FY_TEST_DB": "bench_collisions"}
    place |= {"FY_COLLISIONS": str(number)}
    begun = time.monotonic()
    wanted = ["tests/door/test_collisions.py", "-k", "colliding", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, "-m", "pytest", *wanted], cwd=many.ROOT, env=place)
    took = time.monotonic() - begun
    said = "one state, effect and row each" if done.returncode == 0 else "NOT each with one outcome"
    results.add(
        f"{number:,} colliding attempts on {number // 8:,} requests: {said}", f"{took:.0f} s"
    )
    return done.returncode == 0


def kills(results: Results, urls: list[str], number: int = 50) -> bool:
    """Kill a worker so often at random moments; says whether it ends where another one does."""
    disturbed = many.played(_place(urls[0]), str(number))
    undisturbed = many.played(_place(urls[1]), "0", *disturbed["instants"])
    wrong = many.apart(disturbed, undisturbed)
    for one in wrong:
        print(f"  {one}")
    sizes = ", ".join(f"{len(rows)} {name}" for name, rows in undisturbed["stands"].items())
    said = f"worker killed {disturbed['kills']} times: {sizes}"
    results.add(said, f"{len(wrong)} differences", "0")
    return not wrong
