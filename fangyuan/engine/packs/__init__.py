"""Policy packs: a regulation as data, read, checked in every name, and installed as rules.

Nothing here runs a rule; a broken pack never replaces a working one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.db import transaction

from fangyuan.engine.packs import check, product
from fangyuan.engine.packs import install as installing
from fangyuan.engine.packs.check import Broken

FOLDER = Path(__file__).resolve().parents[3] / "packs"


def shipped() -> list[Path]:
    """The packs that come with the product."""
    return sorted(FOLDER.glob("*.yaml"))


def install(paths: Iterable[Path]) -> list[installing.Installed]:
    """Bring packs into force, all or none; raises Broken with every mistake, or Clash."""
    checked = check.check_all(list(paths))
    if problems := [problem for one in checked for problem in one.problems]:
        raise Broken(problems)
    running = product.running()
    with transaction.atomic():
        return [installing.install_one(one.pack, running) for one in checked if one.pack]
