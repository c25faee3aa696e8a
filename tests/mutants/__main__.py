"""`python -m tests.mutants`: plant every bug in a copy of the tree and run its test there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.planted import BUGS, Bug

ROOT = Path(__file__).parents[2]
ENGINE = Path("fangyuan/engine")
KEPT = ("fangyuan", "tests", "packs", "conftest.py", "pyproject.toml", "manage.py")
SMALL = {"FY_BATCH": "24"}


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
        chosen = [bug for bug in BUGS if not sys.argv[1:] or sys.argv[1] in bug.name]
        survived = [bug for bug in chosen if not _is_caught(copy, bug)]
    sys.stdout.write(f"{len(chosen) - len(survived)} of {len(chosen)} caught\n")
    return 1 if survived else 0


def _is_caught(copy: Path, bug: Bug) -> bool:
    path = copy / ENGINE / bug.file
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(bug.right, bug.wrong), encoding="utf-8")
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            [sys.executable, "-m", "pytest", bug.test, "-x", "-q", "--reuse-db"],
            cwd=copy,
            env={**os.environ, **SMALL},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(right, encoding="utf-8")
    caught = done.returncode == 1
    sys.stdout.write(f"{'caught' if caught else 'SURVIVED'}  {bug.file}: {bug.name}\n")
    if done.returncode not in (0, 1):
        sys.stdout.write(done.stdout[-2000:] + done.stderr[-2000:])
    sys.stdout.flush()
    return caught


if __name__ == "__main__":
    sys.exit(main())
