"""The planted bugs still fit the source; `python -m tests.mutants` runs them (some minutes)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.planted import BUGS, Bug

ENGINE = Path(__file__).parents[2] / "fangyuan/engine"


def test_there_are_twenty() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_changes_the_source(bug: Bug) -> None:
    text = (ENGINE / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.right) >= 1
    assert bug.wrong not in text or bug.wrong in bug.right


def test_every_planted_bug_is_listed_in_the_docs() -> None:
    told = (ENGINE.parents[1] / "docs/proof.md").read_text(encoding="utf-8")
    assert [bug.name for bug in BUGS if f"| {bug.name} |" not in told] == []
