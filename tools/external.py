"""Readies an external PostgreSQL, in the venv's Python: the application's role, set-up notes.

`ROLE` makes sure of the role and prints the notes as JSON; `ROLE NAME VALUE` writes a note.
"""

from __future__ import annotations

import json
import os
import sys

import psycopg
from psycopg import errors, sql

NOTES = "CREATE TABLE IF NOT EXISTS fangyuan_setup (name text PRIMARY KEY, value text NOT NULL)"
KEEP = """INSERT INTO fangyuan_setup VALUES (%s, %s)
          ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


def main(words: list[str]) -> int:
    """Carry out one request; its exit status says whether it was done."""
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=10) as link:
            if words[1:]:
                link.execute(NOTES)
                link.execute(KEEP, words[1:])
            else:
                role(link, words[0])
                sys.stdout.write(json.dumps(notes(link)))
    except psycopg.OperationalError as trouble:
        return refuse(f"连不上 DATABASE_URL 指定的数据库。请检查地址、账号和网络。原因：{trouble}")
    except errors.InsufficientPrivilege as trouble:
        return refuse(
            "DATABASE_URL 的账号权限不够。它须能建表，并能切换到应用账号；"
            "请用数据库管理员执行：CREATE ROLE fangyuan_app; "
            f"GRANT fangyuan_app TO 该账号。原因：{trouble}"
        )
    except psycopg.ProgrammingError as trouble:
        return refuse(f"DATABASE_URL 写得不对或数据库不能用。原因：{trouble}")
    return 0


def role(link: psycopg.Connection, name: str) -> None:
    """Make sure that the application's role exists and that the owner may speak as it."""
    known = link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    who = sql.Identifier(name)
    if not known:
        link.execute(sql.SQL("CREATE ROLE {}").format(who))
    may = link.execute("SELECT pg_has_role(current_user, %s, 'SET')", [name]).fetchone()
    if may and not may[0]:
        link.execute(sql.SQL("GRANT {} TO current_user WITH SET TRUE").format(who))


def notes(link: psycopg.Connection) -> dict[str, str]:
    """The set-up notes kept in this database."""
    if link.execute("SELECT FROM pg_tables WHERE tablename = 'fangyuan_setup'").fetchone() is None:
        return {}
    return dict(link.execute("SELECT name, value FROM fangyuan_setup").fetchall())


def refuse(why: str) -> int:
    """Say why it cannot go on."""
    sys.stderr.write(f"{why.strip()}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
