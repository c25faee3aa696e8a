"""Lock files hold hashes and no address; pip's mirror serves uv too."""

from pathlib import Path

import packages
import pytest

LOCKS = sorted(packages.ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_holds_hashes_and_no_address(path: Path):
    text = path.read_text()
    assert "://" not in text
    pinned = [line for line in text.splitlines() if line[:1].isalnum()]
    assert pinned
    assert all("==" in line and line.endswith("\\") for line in pinned)


def test_every_declared_package_is_locked():
    for source in packages.ROOT.glob("requirements*.in"):
        locked = (
            source.with_suffix(".txt").read_text()
            + "\n"
            + packages.ROOT.joinpath("requirements.txt").read_text()
        )
        wanted = [line for line in source.read_text().splitlines() if line[:1].isalnum()]
        for name in (line.split(">")[0].split("[")[0].replace(".", "-") for line in wanted):
            assert f"\n{name}==" in locked, name


def test_settings_of_pip_become_settings_of_uv(monkeypatch):
    for name in packages.KIN.values():
        monkeypatch.delenv(name, raising=False)
    listed = "global.index-url='https://mirror.example/simple'\nglobal.timeout='60'\n"
    listed += ":env:.find-links='/wheels /more'\nfreeze.find-links='/other'\n"
    told = packages.uv_settings(packages.read_settings(listed))
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert told["UV_FIND_LINKS"] == "/wheels,/more"
    assert "60" not in told.values()


def test_what_the_user_told_uv_itself_stays(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    told = packages.uv_settings({"index-url": "https://mirror.example/simple"})
    assert "UV_DEFAULT_INDEX" not in told


def test_the_digest_changes_with_content_and_name(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("a")
    before = packages.digest([one])
    assert before != packages.digest([two])
    one.write_text("b")
    assert before != packages.digest([one])
