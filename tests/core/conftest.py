"""Where the tests of reference code find real-world samples that are not part of the project."""

import os
from pathlib import Path

import pytest

FOUND = Path(os.environ.get("FY_SHARED") or Path(__file__).parents[3] / "shared") / "data"


@pytest.fixture
def samples() -> Path:
    """Give the folder of real samples; a machine without it reports the test as not run."""
    if not FOUND.is_dir():
        pytest.skip("NOT RUN: no real samples here; set FY_SHARED to the folder that holds them")
    return FOUND
