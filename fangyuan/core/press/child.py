"""The child of the press: reads one task from standard input, writes the result, and ends."""

from __future__ import annotations

import base64
import json
import resource
import sys
from pathlib import Path
from typing import Any, Final

from fangyuan.core.press.wrong import Wrong

MEMORY: Final = 2 << 30  # address space in bytes; the typesetter maps its fonts into it
SECONDS: Final = 20  # of the processor
HERE: Final = Path(__file__).parent


def main() -> int:
    """Do the task of standard input; status 3 where a sentence says why not."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    task = json.loads(sys.stdin.buffer.read())
    try:
        sys.stdout.buffer.write(DO[task["task"]](task))
    except Wrong as wrong:
        sys.stderr.write(str(wrong))
        return 3
    return 0


def _pdf(task: dict[str, Any]) -> bytes:
    import pylopdf_fonts_zh_cn
    import typst

    fonts = Path(pylopdf_fonts_zh_cn.__file__).parent
    return bytes(
        typst.compile(
            HERE / "paper.typ",
            root=HERE,
            font_paths=[fonts],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"paper": task["paper"]},
        )
    )


def _template(task: dict[str, Any]) -> bytes:
    return base64.b64decode(task["template"])


def _fill(task: dict[str, Any]) -> bytes:
    from fangyuan.core.press import docx

    return docx.fill(_template(task), task["words"])


def _text(task: dict[str, Any]) -> bytes:
    from fangyuan.core.press import docx

    return docx.text(docx.fill(_template(task), task["words"])).encode()


def _check(task: dict[str, Any]) -> bytes:
    from fangyuan.core.press import docx

    return json.dumps(docx.mistakes(_template(task), task["words"])).encode()


def _starter(task: dict[str, Any]) -> bytes:
    from fangyuan.core.press import docx

    return docx.starter(task["lines"], task["table"])


DO: Final = {"pdf": _pdf, "fill": _fill, "text": _text, "check": _check, "starter": _starter}

if __name__ == "__main__":
    sys.exit(main())
