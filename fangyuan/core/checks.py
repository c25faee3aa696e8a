"""Refuses a database on which the product would be wrong without saying so.

Chinese text without trigrams, a server too old for the settle statement, or one that may forget
what it acknowledged: each is an error before the first record is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

OLDEST = 180000
TRIGRAMS = 4
LASTING = {
    "fsync": "断电时会损坏数据",
    "full_page_writes": "断电时会损坏数据",
    "synchronous_commit": "断电时会丢失已确认的写入",
}


@checks.register(checks.Tags.database)
def fit_databases(*, databases: Iterable[str] | None, **_: Any) -> list[checks.CheckMessage]:
    """Look at every database that Django asks about."""
    looks: list[Callable[[BaseDatabaseWrapper], list[checks.CheckMessage]]] = [
        new_enough,
        knows_chinese,
        durable,
    ]
    found = []
    for alias in databases or []:
        for look in looks:
            found += look(connections[alias])
    return found


def refuse_unfit(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Stop a command, with every cause and remedy, when the database is not fit."""
    found = fit_databases(databases=[alias])
    if found:
        raise CommandError("\n".join(f"{item.msg}\n  {item.hint}" for item in found))


def new_enough(link: BaseDatabaseWrapper) -> list[checks.CheckMessage]:
    """PostgreSQL 18 brought MERGE … RETURNING with old and new rows."""
    version = int(ask(link, "SHOW server_version_num"))
    if version >= OLDEST:
        return []
    shown = ask(link, "SHOW server_version")
    return [
        checks.Error(
            f"数据库是 PostgreSQL {shown}，本系统需要 18 或更高版本。",
            hint="请升级数据库，或去掉 DATABASE_URL 使用内置数据库。",
            id="core.E001",
        )
    ]


def knows_chinese(link: BaseDatabaseWrapper) -> list[checks.CheckMessage]:
    """With LC_CTYPE=C, pg_trgm makes no trigram of Chinese, and searches find nothing."""
    encoding = ask(link, "SHOW server_encoding")
    if encoding != "UTF8":
        return [unfit_text(f"数据库的编码是 {encoding}，不是 UTF8。")]
    # The extension comes with the first migration; before it the type is read from the catalogue.
    if not ask(link, "SELECT count(*) FROM pg_proc WHERE proname = 'show_trgm'"):
        kind = ask(link, "SELECT datctype FROM pg_database WHERE datname = current_database()")
        return [unfit_text(ctype(kind))] if kind.upper() in ("C", "POSIX") else []
    if ask(link, "SELECT cardinality(show_trgm('中国移动'))") >= TRIGRAMS:
        return []
    return [unfit_text("数据库的 LC_CTYPE 不是 UTF-8，中文搜索会查不到结果。")]


def ctype(kind: str) -> str:
    """The sentence for a database whose character type knows no Chinese."""
    return f"数据库的 LC_CTYPE 是 {kind}，中文搜索会查不到结果。"


def unfit_text(cause: str) -> checks.CheckMessage:
    """Text of this database cannot be searched or kept right."""
    return checks.Error(
        cause,
        hint="请重建数据库：CREATE DATABASE … ENCODING 'UTF8' LC_CTYPE 'C.UTF-8';",
        id="core.E002",
    )


def durable(link: BaseDatabaseWrapper) -> list[checks.CheckMessage]:
    """An acknowledged write must outlive the server; a test's database need not."""
    if settings.TESTING:
        return []
    return [
        checks.Error(
            f"数据库的 {name} 是 off,{harm}。",
            hint=f"请设 {name} = on 并重新加载配置；也看账号和数据库上有没有单独设过。",
            id="core.E003",
        )
        for name, harm in LASTING.items()
        if ask(link, f"SHOW {name}") == "off"
    ]


def ask(link: BaseDatabaseWrapper, sql: str) -> Any:
    """The only value of a one-row answer."""
    with link.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
