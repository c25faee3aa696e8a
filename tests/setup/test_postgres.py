"""The embedded server: started by the first user of a folder, stopped by the last."""

import os
from pathlib import Path

import packages
import postgres
import psycopg
import pytest

SITE = packages.site_packages()


def server(home: Path, **more: Path) -> postgres.Server:
    return postgres.Server(home, SITE, postgres.TESTS, hasty=True, **more)


def answer(url: str, sql: str) -> object:
    with psycopg.connect(url) as link:
        return link.execute(sql).fetchone()[0]


def test_the_server_starts_twice_and_keeps_what_it_knew(open_folder):
    first = server(open_folder).start()
    with psycopg.connect(first.url("fangyuan")) as link:
        link.execute("CREATE TABLE kept AS SELECT 7 AS number")
    first.note("prepared", "key")
    first.hasty = False
    first.leave()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.url("fangyuan"))

    second = server(open_folder).start()
    assert answer(second.url("fangyuan"), "SELECT number FROM kept") == 7
    assert second.note("prepared") == "key"
    second.leave()


def test_only_the_last_user_stops_the_server(open_folder):
    first, second = server(open_folder).start(), server(open_folder).start()
    first.leave()
    assert answer(second.url("fangyuan"), "SELECT 1") == 1
    second.leave()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second.url("fangyuan"))


def test_roles_and_text_are_as_the_product_needs_them(open_folder):
    base = server(open_folder).start()
    try:
        owner, app = base.url("fangyuan"), base.url("fangyuan_app")
        might = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s"
        with psycopg.connect(owner) as link:
            link.execute("CREATE EXTENSION pg_trgm")
            grams = link.execute("SELECT cardinality(show_trgm('中国移动'))").fetchone()[0]
            assert grams >= 4
            assert link.execute(might, ["fangyuan_app"]).fetchone()[0] is False
            assert link.execute("SHOW listen_addresses").fetchone()[0] == ""
            assert link.execute("SHOW jit").fetchone()[0] == "off"
        with psycopg.connect(app) as link, pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute("CREATE TABLE mine (a int)")
    finally:
        base.leave()


def test_a_left_over_pid_of_another_program_does_not_stop_the_start(open_folder):
    base = server(open_folder).start()
    base.leave()
    (base.data / "postmaster.pid").write_text(f"{os.getpid()}\n{base.data}\n")
    again = server(open_folder).start()
    assert answer(again.url("fangyuan"), "SELECT 1") == 1
    again.leave()


def test_a_closed_data_folder_is_not_opened(open_folder, tmp_path):
    closed = tmp_path / "数据 夹"
    closed.mkdir(mode=0o700)
    base = server(closed, shelter=open_folder / "shelter").start()
    try:
        assert answer(base.url("fangyuan"), "SELECT 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (base.data.parent == closed) == (os.geteuid() != 0)
    finally:
        base.leave()


def test_a_socket_lives_in_a_short_plain_path():
    assert postgres.socket_folder(Path("/srv/fy/var/pg")) == Path("/srv/fy/var/pg")
    for odd in (Path("/srv") / ("long" * 25), Path("/srv/方圆/pg"), Path("/srv/a b/pg")):
        assert len(str(postgres.socket_folder(odd))) < 90
        assert postgres.socket_folder(odd) != odd


def test_a_socket_folder_of_somebody_else_is_refused(open_folder):
    if os.geteuid() == 0:
        folder = open_folder / "taken"
        folder.mkdir()
        os.chown(folder, 4242, 4242)
        with pytest.raises(postgres.SetupFailed, match="属于别的用户"):
            postgres.claim(folder, 65534)
    postgres.claim(open_folder / "fresh", os.geteuid())
    assert (open_folder / "fresh").stat().st_mode & 0o777 == 0o700
