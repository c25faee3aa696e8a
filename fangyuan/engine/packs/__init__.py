"""Policy packs: a regulation as data, read, checked in every name, and installed as rules.

Nothing here runs a rule; a broken pack never replaces a working one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction

from fangyuan.engine.packs import check, installation, product, reading
from fangyuan.engine.packs.check import Broken
from fangyuan.engine.packs.installation import Clash

__all__ = ["FOLDER", "Broken", "Clash", "install", "seal", "shipped", "told"]

FOLDER = Path(__file__).resolve().parents[3] / "packs"


def shipped() -> list[Path]:
    """The packs that come with the product."""
    return sorted(FOLDER.glob("*.yaml"))


def install(paths: Iterable[Path]) -> list[installation.Installed]:
    """Bring packs into force, all or none; raises Broken with every mistake, or Clash.

    Files that stand in the table already, for the product as it runs, are not even read again.
    """
    paths = list(paths)
    running = product.running()
    seals = {path: seal(path, running) for path in paths}
    if unchanged := installation.unchanged(seals.values()):
        return unchanged
    checked = check.check_all(paths)
    if problems := [problem for one in checked for problem in one.problems]:
        raise Broken(problems)
    with transaction.atomic():
        return [
            installation.install_one(
                one.pack, running, seals[path], told(path.parent, one.pack.head.policy)
            )
            for path, one in zip(paths, checked, strict=True)
            if one.pack
        ]


def seal(path: Path, running: product.Product) -> str:
    """What an installation depends on, as one word: the file, its examples, the product."""
    sha = hashlib.sha256(running.fingerprint().encode())
    for file in (path, path.parent / "cases" / path.name):
        sha.update(file.read_bytes() if file.is_file() else b"")
    return sha.hexdigest()


def told(folder: Path, policy: str) -> frozenset[str] | None:
    """The clauses with a worked example, where the packs of a folder come with examples.

    Bonuses hang on a rule: one that nobody has worked an example of does not bind people yet.
    """
    if not (folder / "cases").is_dir():
        return None
    path = folder / "cases" / f"{policy}.yaml"
    if not path.exists():
        return frozenset()
    try:
        book = reading.read_file(path).value
    except reading.Unreadable as wrong:
        said = f"例子读不了：{wrong.sentence}"
        raise Broken([check.Problem(f"cases/{path.name}", wrong.line, "", said)]) from wrong
    cases = book.get("cases") if isinstance(book, dict) else None
    return frozenset(
        str(one.get("clause")) for one in cases or () if isinstance(one, dict) and "clause" in one
    )
