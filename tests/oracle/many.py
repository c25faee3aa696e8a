"""Batches of random histories compared by several processes, each in a database of its own."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
STEPS = "+"  # behind a seed: in steps
SHARE = 5  # of a batch that goes in steps


@dataclass
class Tally:
    """What the batches so far gave."""

    batches: int = 0
    histories: int = 0
    verdicts: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.histories:,} random histories in {self.batches} batches,"
            f" {self.verdicts:,} verdicts compared, {len(self.wrong)} differences"
        )


def seeds(first: int, histories: int, size: int) -> list[str]:
    """Seeds that give so many histories: every tenth batch, which is smaller, goes in steps.

    Those come first, for a sweep by what changed waits for older transactions of other processes.
    """
    found: list[tuple[bool, str]] = []
    while histories > 0:
        by_steps = len(found) % 10 == 0
        found.append((not by_steps, f"{first + len(found)}{STEPS * by_steps}"))
        histories -= batch_size(found[-1][1], size)
    return [seed for _, seed in sorted(found, key=lambda one: one[0])]


def batch_size(seed: str, size: int) -> int:
    """How many histories the batch of a seed holds."""
    return size // SHARE if seed.endswith(STEPS) else size


def run(
    seeds: list[str], size: int, places: list[dict[str, str]], root: Path = ROOT
) -> Iterator[Tally]:
    """Compare the batches of these seeds; gives the tally after each one.

    `places` are the environments that lead to the databases; `root` holds the sources.
    """
    tally = Tally()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(_started(root, (seeds[number :: len(places)], size), place))
            for number, place in enumerate(places)
        ]
        for process in processes:  # whoever asks may have seen enough
            stack.callback(process.kill)
        for line in _lines([process.stdout for process in processes if process.stdout]):
            said = json.loads(line)
            tally.batches += 1
            tally.histories += said["histories"]
            tally.verdicts += said["verdicts"]
            tally.wrong += said["wrong"]
            yield tally
        for process in processes:
            if process.wait():
                tally.wrong.append(f"{process.args!r} ended with {process.returncode}")
                yield tally


def played(place: dict[str, str], *words: str) -> dict[str, Any]:
    """What a worker left that was killed so often, or did the same rounds undisturbed (0)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.oracle.killing", *words],
        cwd=ROOT,
        env=place,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def apart(disturbed: dict[str, Any], undisturbed: dict[str, Any]) -> list[str]:
    """In what they differ, what is there twice, and what is not there at all."""
    found = []
    for name, rows in undisturbed["stands"].items():
        other = disturbed["stands"][name]
        if not rows:
            found.append(f"no {name}")
        if len(set(other)) != len(other):
            found.append(f"{name} twice")
        if other != rows:
            found.append(f"{name}: {sorted(set(other) ^ set(rows))[:3]}")
    return found


def _started(
    root: Path, batches: tuple[list[str], int], place: dict[str, str]
) -> subprocess.Popen[str]:
    seeds, size = batches
    return subprocess.Popen(
        [sys.executable, "-m", "tests.oracle.trials", ",".join(seeds), str(size)],
        cwd=root,
        env=place,
        stdout=subprocess.PIPE,
        text=True,
    )


def _lines(outputs: list[IO[str]]) -> Iterator[str]:
    """The lines of several processes, in the order in which they come."""
    with selectors.DefaultSelector() as waiting:
        for output in outputs:
            waiting.register(output, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    yield line
                else:
                    waiting.unregister(key.fileobj)
