"""The press: papers to PDF, templates of a company to documents, in a process of its own.

The typesetter takes some hundred megabytes and a template is somebody's program: neither belongs
into the web server. The child is started for one piece of work with limits of time and memory; it
knows neither the database nor the network's addresses, and one runs at a time in each process.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fangyuan.core.paper import Paper

ROOT: Final = Path(__file__).resolve().parents[3]
SECONDS: Final = 30
Words = Mapping[str, Any]  # word -> text, or a list of such mappings
_one_at_a_time = threading.Lock()


class Unprintable(ValueError):
    """It could not be printed; the message says why, for the person who asked."""


def pdf(paper: Paper) -> bytes:
    """Set a paper as PDF: the same content gives the same bytes. Raises Unprintable."""
    return _ask({"task": "pdf", "paper": paper.written()})


def document(template: bytes, words: Words) -> bytes:
    """Fill a template (docx) with words; raises Unprintable where it asks for anything else."""
    return _ask({"task": "fill", "template": _packed(template), "words": words})


def check(template: bytes, words: Words) -> list[str]:
    """What is wrong with a template that may use these words, in sentences; empty if nothing."""
    told = _ask({"task": "check", "template": _packed(template), "words": words})
    return list(json.loads(told))


def text(template: bytes, words: Words) -> str:
    """What a template says once it is filled in, a paragraph a line; raises Unprintable."""
    return _ask({"task": "text", "template": _packed(template), "words": words}).decode()


def starter(lines: list[str], table: Mapping[str, Any] | None = None) -> bytes:
    """A template to begin with: paragraphs, and a table whose row stands for each of a list."""
    return _ask({"task": "starter", "lines": lines, "table": table})


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _ask(task: Mapping[str, Any]) -> bytes:
    with _one_at_a_time:
        try:
            done = subprocess.run(
                [sys.executable, "-s", "-m", "fangyuan.core.press.child"],
                input=json.dumps(task, ensure_ascii=False).encode(),
                capture_output=True,
                cwd=ROOT,
                env={"LANG": "C.UTF-8"},
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Unprintable("内容太长，没有在规定时间内排完。请减少行数再试") from late
    if done.returncode == 0:
        return done.stdout
    # What the child means to say comes with status 3; anything else is told the operator.
    if done.returncode == 3:
        raise Unprintable(done.stderr.decode(errors="replace").strip())
    sys.stderr.write(done.stderr.decode(errors="replace"))
    raise Unprintable("没有排成：文件太大或内容有误。请减少内容再试，仍不行请找系统管理员")
