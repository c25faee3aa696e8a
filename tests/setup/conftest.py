"""The set-up's own modules are scripts beside the project; its tests reach them by path."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may pass through; pytest's own is closed to the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="fy-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
