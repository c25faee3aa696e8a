"""The table of results: printed, and written to a file as it grows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Results:
    """Rows of (what, measured, wanted), kept on disk after each one."""

    path: Path
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, measured: str, wanted: str = "") -> None:
        """Note one figure and print it."""
        self.rows.append((what, measured, wanted))
        print(f"  {what:<58} {measured:>18}   {wanted}", flush=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = ["| what | measured | wanted |", "| --- | ---: | --- |"]
        lines += [f"| {a} | {b} | {c} |" for a, b, c in self.rows]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @contextmanager
    def timed(self, what: str, wanted: str = "") -> Iterator[list[float]]:
        """Time a block; the caller may read the seconds afterwards."""
        taken: list[float] = []
        begun = time.perf_counter()
        yield taken
        taken.append(time.perf_counter() - begun)
        self.add(what, f"{taken[0]:.2f} s", wanted)
