"""The proof of the engine at length: random histories by the million, a worker killed fifty times."""

from __future__ import annotations

import os
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
