"""The shell's files lie under an address that changes with them: browsers keep them for good.

The whole folder has one version, so that modules and style sheets find each other by plain names.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parent / "static"


@cache
def version() -> str:
    """A short name for this state of the files; a changed file gives another."""
    digest = hashlib.sha256(metadata.version("django-htmx").encode())
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
