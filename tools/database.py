"""Which database a command works on: the one of DATABASE_URL, or an embedded server."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import packages
import postgres

ASK = Path(__file__).with_name("external.py")


class Database(Protocol):
    """A database ready for use: two connections, and notes kept beside the tables."""

    owner_url: str
    app_url: str

    def note(self, name: str, value: str | None = None) -> str: ...

    def leave(self) -> None: ...


@dataclass
class Embedded:
    """The server of the wheel, in a data folder."""

    server: postgres.Server
    database: str = postgres.DATABASE

    def __post_init__(self) -> None:
        self.server.start()
        self.owner_url = self.server.url(postgres.OWNER, self.database)
        self.app_url = self.server.url(postgres.APP, self.database)

    def note(self, name: str, value: str | None = None) -> str:
        return self.server.note(name, value)

    def leave(self) -> None:
        self.server.leave()


@dataclass
class External:
    """A server that somebody else runs; its URL is the owner's."""

    owner_url: str

    def __post_init__(self) -> None:
        self.app_url = os.environ.get("DATABASE_APP_URL") or as_role(self.owner_url, postgres.APP)
        self.notes: dict[str, str] = json.loads(self._ask())

    def note(self, name: str, value: str | None = None) -> str:
        if value is not None:
            self._ask(name, value)
            self.notes[name] = value
        return self.notes.get(name, "")

    def leave(self) -> None:
        """Nothing to stop: the server is not ours."""

    def _ask(self, *words: str) -> str:
        # Apart, because psycopg lives in the venv and this file in any Python.
        done = subprocess.run(
            [str(packages.PYTHON), str(ASK), postgres.APP, *words],
            env=os.environ | {"DATABASE_URL": self.owner_url},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise postgres.SetupFailed(done.stderr.strip())
        return done.stdout


def choose(home: Path) -> Database:
    """The database of DATABASE_URL, else the embedded one of this data folder."""
    url = os.environ.get("DATABASE_URL")
    return External(url) if url else embedded(home, "pg", postgres.BASE)


def embedded(home: Path, name: str, conf: dict[str, str], **more: str) -> Embedded:
    """The embedded server in one folder with one set of settings."""
    hasty = conf.get("fsync") == "off"
    site = packages.site_packages()
    return Embedded(postgres.Server(home, site, conf, name=name, hasty=hasty), **more)


def as_role(url: str, role: str) -> str:
    """The same connection, speaking as another role from its first statement on."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def environment(base: Database, *, owner: bool = False) -> dict[str, str]:
    """The variables by which a program of the project finds its database."""
    return {
        "DATABASE_URL": base.owner_url if owner else base.app_url,
        "DATABASE_OWNER_URL": base.owner_url,
        "DATABASE_APP_URL": base.app_url,
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
    }
