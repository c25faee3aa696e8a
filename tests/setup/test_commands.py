"""The commands of tools/dev.py, as a shell sees them."""

import socket
import subprocess
import sys

import database
import dev
import packages
import postgres
import pytest


def test_the_application_speaks_as_its_own_role():
    url = database.as_role("postgresql://own:p%40ss@db.example:5432/crm?sslmode=require", "app")
    assert url == (
        "postgresql://own:p%40ss@db.example:5432/crm?sslmode=require&options=-c%20role%3Dapp"
    )


def test_options_of_the_url_are_kept():
    url = database.as_role("postgresql:///crm?options=-c%20work_mem%3D64MB", "app")
    assert url.endswith("options=-c%20work_mem%3D64MB%20-c%20role%3Dapp")


def test_an_unknown_command_is_refused(capfd):
    done = subprocess.run([sys.executable, str(packages.ROOT / "tools/dev.py"), "fly"], check=False)
    said = capfd.readouterr()
    assert done.returncode == 1
    assert "用法" in said.err
    assert said.out == ""


def test_a_database_out_of_reach_is_named_with_a_remedy(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(postgres.SetupFailed, match="请检查地址、账号和网络"):
        database.choose(tmp_path)


def test_a_taken_port_is_seen():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        assert not dev.taken(door.getsockname()[1])
        door.listen()
        assert dev.taken(door.getsockname()[1])


def test_two_test_runs_get_two_databases(monkeypatch, tmp_path):
    monkeypatch.setenv("FY_DATA", str(tmp_path))
    with dev.slot() as one, dev.slot() as two:
        assert one != two
    with dev.slot() as again:
        assert again == one


@pytest.mark.parametrize(("script", "code"), [("echo out; exit 7", 7), ("kill -9 $$", 137)])
def test_a_program_keeps_its_exit_status_and_output(script, code):
    # In a process of its own: the caller gives up listening to Ctrl-C.
    call = f"import dev, os; raise SystemExit(dev.call(['sh', '-c', '{script}'], dict(os.environ)))"
    tools = packages.ROOT / "tools"
    done = subprocess.run([sys.executable, "-c", call], cwd=tools, capture_output=True, check=False)
    assert done.returncode == code
    assert done.stdout == (b"out\n" if code == 7 else b"")


def test_a_reader_that_has_seen_enough_causes_no_traceback():
    command = [sys.executable, str(packages.ROOT / "manage.py"), "help", "--commands"]
    reading = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reading.stdout.close()
    said = reading.stderr.read()
    reading.stderr.close()
    assert reading.wait() == 141
    assert b"Traceback" not in said
