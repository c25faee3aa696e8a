"""Databases like the one under test, each for a process of its own; dropped at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection


@contextmanager
def twins(*names: str) -> Iterator[list[dict[str, str]]]:
    """For each name a copy of the database under test; gives the environments that lead there."""
    template = str(connection.settings_dict["NAME"])
    wanted = {name: f"{template}_{name}" for name in names}
    connection.close()
    with psycopg.connect(address("postgres"), autocommit=True) as control:
        try:
            for name in wanted.values():
                # A database can be copied only while nobody is connected to it.
                control.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [template],
                )
                control.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                control.execute(
                    f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'
                )
            yield [os.environ | {"DATABASE_URL": address(name)} for name in wanted.values()]
        finally:
            for name in wanted.values():
                control.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def address(name: str) -> str:
    """The address of another database on the configured server."""
    given = os.environ.get("DATABASE_URL", "postgresql:///fangyuan")
    return urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
