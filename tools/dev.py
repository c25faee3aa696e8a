"""Everything between a fresh clone and a running program, with the standard library only.

Behind `make run`, `make test`, `make bench`, `make lock` and `./fy COMMAND`. Each step is skipped
when a hash says that it was done, so that the second start takes seconds.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import database
import packages
import postgres

ROOT = packages.ROOT
STARTED = time.monotonic()
MOST_WORKERS = 4
OWNER_COMMANDS = {"migrate"}
# What `prepare` may depend on; templates and styles cannot change the database.
PREPARED_BY = {".py", ".sql", ".yaml", ".yml", ".csv", ".json", ".jsonl", ".txt"}
NOT_PREPARED_BY = {"__pycache__", "tests", "cases", "templates", "static"}
BROWSER = "/usr/bin/chromium"
MINUTE, FALLS_A_MINUTE = 60, 5
JOURNEYS = ROOT / "tests/journeys"


def main() -> int:
    """Dispatch one command of the Makefile or of ./fy."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is found out
        return complain("需要 Python 3.11 或更高版本。可用 make PYTHON=路径 指定。")
    name, rest = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    commands: dict[str, Callable[[list[str]], int]] = {
        "run": run,
        "test": test,
        "bench": bench,
        "lock": lock,
        "fy": fy,
    }
    if name not in commands:
        return complain(f"用法：python3 tools/dev.py {'|'.join(commands)} [参数…]")
    for request in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(request) is not signal.SIG_IGN:
            signal.signal(request, interrupted)
    try:
        return commands[name](rest)
    except postgres.SetupFailed as trouble:
        return complain(str(trouble))
    except subprocess.CalledProcessError as trouble:
        return complain(f"没有成功（退出码 {trouble.returncode}）：{shlex.join(trouble.cmd)}")
    except KeyboardInterrupt:
        return 130


def run(_: list[str]) -> int:
    """Start database, worker and web server, and keep them up until interrupted."""
    host, port = os.environ.get("FY_HOST", "127.0.0.1"), int(os.environ.get("PORT", "8123"))
    if taken(port):
        return complain(f"端口 {port} 已被占用。可换一个：PORT=8124 make run")
    with ready(say, demo=os.environ.get("FY_DEMO", "1") != "0") as base:
        env = settings(base)
        workers = os.environ.get("FY_WEB_WORKERS", "2")
        web = manage("serve", "--host", host, "--port", str(port), "--workers", workers)
        programs = {
            "web": (web, env | {"FY_PROCESS": "web", "MALLOC_ARENA_MAX": "2"}),
            "worker": (manage("worker"), env | {"FY_PROCESS": "worker"}),
        }
        return keep_up(programs, f"http://127.0.0.1:{port}/")


def test(args: list[str]) -> int:
    """Run pytest on a cluster of its own, in databases that no other run uses, one a worker."""
    python = packages.ensure(say, dev=True)
    browser = chromium()
    base = database.embedded(home(), "pgtest", postgres.TESTS)
    try:
        with slot() as name:
            env = settings(base, owner=True)
            env |= {"FY_TEST": "1", "FY_TEST_DB": name, "FY_BROWSER": browser}
            env |= {"FY_DATA": str(folder("testdata", name))}
            side_by_side = ["-n", str(min(os.cpu_count() or 1, MOST_WORKERS))]
            return call([str(python), "-m", "pytest", *side_by_side, *args], env, cwd=ROOT)
    finally:
        base.leave()


def bench(args: list[str]) -> int:
    """Run the measurements on a cluster of their own, set up like a production server."""
    # The part on collisions is a test, and needs what tests need.
    only = args[args.index("--only") + 1] if "--only" in args[:-1] else "collisions"
    python = packages.ensure(say, dev="collisions" in only)
    base = database.embedded(home(), "pgbench", postgres.BENCH)
    try:
        env = settings(base) | {"FY_DATA": str(folder("benchdata"))}
        return call([str(python), "-m", "bench", *args], env, cwd=ROOT)
    finally:
        base.leave()


def lock(_: list[str]) -> int:
    """Compile the lock files anew."""
    packages.lock(say)
    return 0


def fy(args: list[str]) -> int:
    """Run one management command in the prepared environment, with its own exit status."""
    with ready(whisper) as base:
        owner = bool(args) and args[0] in OWNER_COMMANDS
        return call(manage(*args), settings(base, owner=owner) | {"FY_PROCESS": "cli"})


@contextmanager
def ready(tell: packages.Say, *, demo: bool = False) -> Iterator[database.Database]:
    """A database with tables, reference data and the administrator; released at the end."""
    packages.ensure(tell)
    base = database.choose(home())
    try:
        with packages.alone(home() / "prepare.lock"):
            prepare(base, tell, demo=demo)
        yield base
    finally:
        base.leave()


def prepare(base: database.Database, tell: packages.Say, *, demo: bool) -> None:
    """Migrate and load what every database has; once for each state of the sources."""
    folder()
    key = fingerprint()
    if base.note("prepared") != key:
        tell("准备数据库")
        # Only the owner may change tables; the rest proves that the application's rights suffice.
        # This step also runs the system checks, which hold until the sources change.
        step(manage("migrate", "-v0"), settings(base, owner=True) | {"FY_CHECKED": "0"})
        step(manage("prepare"), settings(base))
        base.note("prepared", key)
    if demo and not base.note("demo"):
        tell("载入演示数据（FY_DEMO=0 可跳过）")
        step(manage("demo"), settings(base))
        base.note("demo", "1")


def keep_up(programs: dict[str, tuple[list[str], dict[str, str]]], url: str) -> int:
    """Start programs, say when the page answers, and start again what falls over."""
    running = {name: launch(*program) for name, program in programs.items()}
    falls: list[float] = []
    greeted = False
    try:
        while True:
            if not greeted and answers(url):
                greeted = True
                say(f"方圆已就绪：{url}  (READY)")
            for name, process in running.items():
                if process.poll() is None:
                    continue
                falls = [at for at in falls if time.monotonic() - at < MINUTE]
                if len(falls) >= FALLS_A_MINUTE:
                    return complain(f"{name} 反复退出（退出码 {process.returncode}），已停止。")
                falls.append(time.monotonic())
                say(f"{name} 退出了（退出码 {process.returncode}），重新启动")
                running[name] = launch(*programs[name])
            time.sleep(0.3 if greeted else 0.05)
    except KeyboardInterrupt:
        say("正在停止")
        return 0
    finally:
        halt(list(running.values()))


def launch(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a program that ends when this one does."""
    time_to_end = end_with_parent(signal.SIGTERM)
    return subprocess.Popen(command, cwd=ROOT, env=env, preexec_fn=time_to_end, process_group=0)


def halt(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask programs to end, and insist after fifteen seconds."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def call(command: list[str], env: dict[str, str], cwd: Path | None = None) -> int:
    """Run a program in the foreground: same terminal, same signals, same exit status."""
    # Ctrl-C reaches the program by itself; this process only waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        preexec_fn=end_with_parent(signal.SIGKILL, listen=True),
    )
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


def end_with_parent(by: signal.Signals, *, listen: bool = False) -> Callable[[], None]:
    """What a child does first: be ended with its parent (on Linux), hear Ctrl-C if it should."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def first() -> None:
        if libc:
            libc.prctl(1, int(by))
        if listen:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    return first


def step(command: list[str], env: dict[str, str]) -> None:
    """Run one step of the set-up; what it prints never reaches standard output."""
    subprocess.run(
        command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True
    )


def chromium() -> str:
    """The browser of the journeys, installed if it can be; '0' where there is none."""
    if not JOURNEYS.exists() or os.environ.get("FY_BROWSER") == "0":
        return "0"
    given = os.environ.get("FY_BROWSER") or shutil.which("chromium") or BROWSER
    complete = Path(given).exists() and draws_chinese()
    if not complete and os.geteuid() == 0 and shutil.which("apt-get"):
        say("安装 Chromium 和中文字体(apt)")
        get = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-q", "-y"]
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*get, "update"], env=env, stdout=subprocess.DEVNULL)
        wanted = ["install", "--no-install-recommends", "chromium", "fonts-noto-cjk"]
        subprocess.run([*get, *wanted], env=env, stdout=subprocess.DEVNULL)
    if Path(given).exists():
        return given
    say("★ 没有 Chromium，浏览器测试这次不运行。请安装 chromium 和 fonts-noto-cjk 后重试。")
    return "0"


def draws_chinese() -> bool:
    """Whether a font with Chinese characters is installed."""
    lister = shutil.which("fc-list")
    return bool(lister and subprocess.run([lister, ":lang=zh"], capture_output=True).stdout)


@contextmanager
def slot() -> Iterator[str]:
    """A database name that no test run of this checkout uses at this moment."""
    for number in range(1, 100):
        with open(home() / f"pgtest.slot{number}", "w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield f"test_fangyuan_{number}"
            return
    raise postgres.SetupFailed("同时运行的测试太多了。请等其中一些结束后再试。")


def settings(base: database.Database, *, owner: bool = False) -> dict[str, str]:
    """The environment of a program of the project."""
    own = {"FY_DATA": str(home()), "FY_CHECKED": "1"}
    return os.environ | database.environment(base, owner=owner) | own


def fingerprint() -> str:
    """One hash over every source that the prepared database depends on."""
    total = hashlib.sha256()
    for top in ("fangyuan", "packs"):
        for folder, folders, files in os.walk(ROOT / top):
            folders[:] = sorted(name for name in folders if name not in NOT_PREPARED_BY)
            for name in sorted(files):
                path = Path(folder, name)
                if path.suffix in PREPARED_BY:
                    total.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
                    total.update(path.read_bytes())
    return total.hexdigest()


def home() -> Path:
    """The data folder."""
    return Path(os.environ.get("FY_DATA") or ROOT / "var").resolve()


def folder(*names: str) -> Path:
    """A data folder below the data folder, with the subfolder that the settings name."""
    here = home().joinpath(*names)
    (here / "static").mkdir(parents=True, exist_ok=True)
    return here


def manage(*args: str) -> list[str]:
    """The command line of a management command."""
    return [str(packages.PYTHON), str(ROOT / "manage.py"), *args]


def taken(port: int) -> bool:
    """Whether something listens on the port already."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Whether the web server answers with a page."""
    address = url.split("/")[2]
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(f"GET / HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
            return line.recv(64).split(b" ")[1][:1] in (b"2", b"3")
    except (OSError, IndexError):
        return False


def interrupted(_: int, __: FrameType | None) -> Any:
    """A request to end is treated like Ctrl-C."""
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Tell how far it is, with the seconds since the start."""
    sys.stdout.write(f"[{time.monotonic() - STARTED:5.1f}s] {text}\n")
    sys.stdout.flush()


def whisper(text: str) -> None:
    """The same beside the output of a command."""
    sys.stderr.write(f"[{time.monotonic() - STARTED:5.1f}s] {text}\n")
    sys.stderr.flush()


def complain(text: str) -> int:
    """Say on standard error why it cannot go on."""
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
