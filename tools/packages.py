"""The Python environment of a checkout: a venv filled from hashed lock files.

Only the standard library and pip are taken for granted; uv is used when it can be had.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
HASHED = ["--require-hashes", "--only-binary", ":all:"]
# pip's settings that uv knows by another name; a company's mirror must serve both.
KIN = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
Say = Callable[[str], None]


def ensure(say: Say, *, dev: bool = False) -> Path:
    """Bring the venv to what the lock files say and return its Python."""
    with alone(ROOT / "var/venv.lock"):
        create(say)
        names = ["requirements.txt", "requirements-dev.txt"] if dev else ["requirements.txt"]
        locks = [ROOT / name for name in names]
        stamp, key = VENV / f".fy-{'dev' if dev else 'run'}", digest(locks)
        if not stamp.exists() or stamp.read_text() != key:
            say("安装 Python 依赖")
            install(locks, say)
            stamp.write_text(key)
    return PYTHON


def create(say: Say) -> None:
    """Make the venv unless a working one is there."""
    stamp = VENV / ".fy-venv"
    if PYTHON.exists() and (stamp.exists() or runs(PYTHON, "-m", "pip", "--version")):
        stamp.touch()
        return
    say("建立 Python 环境")
    if not runs(Path(sys.executable), "-m", "venv", "--clear", str(VENV)):
        # Debian ships Python without ensurepip; virtualenv brings its own pip.
        spare = ROOT / "var/boot"
        shutil.rmtree(VENV, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(spare), "virtualenv"]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        make = [sys.executable, "-m", "virtualenv", "-q", str(VENV)]
        subprocess.run(make, check=True, stdout=sys.stderr, env=os.environ | {"PYTHONPATH": spare})
    stamp.touch()


def install(locks: list[Path], say: Say) -> None:
    """Install lock files with uv, or with pip where uv cannot do it."""
    wanted = [part for lock in locks for part in ("-r", str(lock))]
    if boot():
        uv = [str(VENV / "bin/uv"), "pip", "install", "-q", "--compile-bytecode"]
        env = os.environ | uv_settings(pip_settings()) | {"VIRTUAL_ENV": str(VENV)}
        if subprocess.run([*uv, *HASHED, *wanted], env=env, stdout=sys.stderr).returncode == 0:
            return
        say("uv 没有装成，改用 pip")
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *HASHED, *wanted], check=True, stdout=sys.stderr)


def boot() -> bool:
    """Put uv of the boot lock into the venv; false where that fails."""
    lock, stamp = ROOT / "requirements-boot.txt", VENV / ".fy-boot"
    if stamp.exists() and stamp.read_text() == digest([lock]) and (VENV / "bin/uv").exists():
        return True
    pip = ("-m", "pip", "install", "-q", "--disable-pip-version-check")
    if not runs(PYTHON, *pip, *HASHED, "-r", str(lock)):
        return False
    stamp.write_text(digest([lock]))
    return True


def pip_settings() -> dict[str, str]:
    """What pip is configured with: the last file wins, the environment over all."""
    done = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return read_settings(done.stdout)


def read_settings(text: str) -> dict[str, str]:
    """Parse the lines of `pip config list`, such as global.index-url='…'."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if key in KIN and section in ("global", "install", ":env:"):
            found[key] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def uv_settings(pip: dict[str, str]) -> dict[str, str]:
    """The same settings in uv's words; what the user told uv itself stays."""
    told = {KIN[key]: value for key, value in pip.items() if KIN[key] not in os.environ}
    if "UV_FIND_LINKS" in told:
        told["UV_FIND_LINKS"] = told["UV_FIND_LINKS"].replace(" ", ",")
    # Hashes decide what may be installed, so every index may be asked for every package.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_LINK_MODE": "copy"} | told


def lock(say: Say) -> None:
    """Compile the lock files anew, with hashes and without any address."""
    create(say)
    if not boot():
        raise SystemExit("没有装上 uv，无法重新生成依赖锁文件。请检查网络或 pip 的镜像设置。")
    index = {key: value for key, value in pip_settings().items() if key in ("index-url", "cert")}
    for name in ("requirements", "requirements-dev", "requirements-boot"):
        command = [str(VENV / "bin/uv"), "pip", "compile", "-q", "--universal"]
        command += ["--python-version", "3.11", "--generate-hashes", "--no-annotate"]
        command += ["--no-emit-index-url", "--no-emit-find-links"]
        command += ["--custom-compile-command", "make lock", f"{name}.in", "-o", f"{name}.txt"]
        subprocess.run(command, cwd=ROOT, env=os.environ | uv_settings(index), check=True)
        if "://" in (ROOT / f"{name}.txt").read_text():
            raise SystemExit(f"{name}.txt 里有网址，不能提交。")
        say(f"{name}.txt 已更新")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two commands do not set up the same thing at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def runs(program: Path, *args: str) -> bool:
    """Whether a command ends well; what it says on failure is shown."""
    done = subprocess.run([str(program), *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        sys.stderr.write(done.stderr.decode(errors="replace"))
    return done.returncode == 0


def digest(paths: Iterable[Path]) -> str:
    """One hash over the names and contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def site_packages() -> Path:
    """Where the venv keeps its packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    fitting = VENV / "lib" / version / "site-packages"
    return fitting if fitting.exists() else next((VENV / "lib").glob("python3*/site-packages"))
