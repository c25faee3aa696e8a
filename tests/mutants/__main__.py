"""`python -m tests.mutants [NAME]`: plant every bug in a copy of the tree and try it there.

It works in databases of its own, `test_mutants` and those of pytest, on the configured server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.mutants.planted import AGREES, BUGS, IN_STEPS, Bug
from tests.oracle import many
from tests.twins import address

ROOT = Path(__file__).parents[2]
ENGINE = Path("fangyuan/engine")
KEPT = ("fangyuan", "tests", "packs", "conftest.py", "pyproject.toml", "manage.py")
NAME, SIZE, BATCHES = "test_mutants", 100, 60


def main() -> int:
    """Print for each bug whether it was caught; the exit status says whether all were."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in KEPT:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        _make()
        chosen = [bug for bug in BUGS if not sys.argv[1:] or sys.argv[1] in bug.name]
        survived = [bug for bug in chosen if not _is_caught(copy, bug)]
    sys.stdout.write(f"{len(chosen) - len(survived)} of {len(chosen)} caught\n")
    return 1 if survived else 0


def _make() -> None:
    """A fresh database with tables and nothing else."""
    with psycopg.connect(address("postgres"), autocommit=True) as control:
        control.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        control.execute(f"CREATE DATABASE {NAME}")
    _run(ROOT, "manage.py", "migrate", "-v0")


def _run(where: Path, *words: str) -> int:
    env = os.environ | {"DATABASE_URL": address(NAME)}
    done = subprocess.run([sys.executable, *words], cwd=where, env=env, capture_output=True)
    return done.returncode


def _is_caught(copy: Path, bug: Bug) -> bool:
    path = copy / ENGINE / bug.file
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(bug.right, bug.wrong), encoding="utf-8")
    try:
        if bug.test in (AGREES, IN_STEPS):
            said = _differs(copy, many.STEPS * (bug.test == IN_STEPS))
        else:
            failed = _run(copy, "-m", "pytest", bug.test, "-x", "-q", "--reuse-db") == 1
            said = bug.test * failed
    finally:
        path.write_text(right, encoding="utf-8")
    sys.stdout.write(f"{'caught' if said else 'SURVIVED'}  {bug.file}: {bug.name}  ({said})\n")
    sys.stdout.flush()
    return bool(said)


def _differs(copy: Path, in_steps: str) -> str:
    """The first difference of the copy and the oracle, after how many histories; or nothing."""
    seeds = [f"{seed}{in_steps}" for seed in range(1, BATCHES + 1)]
    place = os.environ | {"DATABASE_URL": address(NAME)}
    for tally in many.run(seeds, SIZE, [place], root=copy):
        if any("ended with" not in one for one in tally.wrong):
            return f"{tally.wrong[0]}; {tally.histories} histories"
    return ""


if __name__ == "__main__":
    sys.exit(main())
