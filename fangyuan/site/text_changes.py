"""Two wordings of a text side by side: what stays, what goes, what comes."""

from __future__ import annotations

import difflib
import re

# Numbers and foreign words are compared whole, Chinese character by character.
_TOKEN = re.compile(r"[0-9.]+|[A-Za-z]+|.", re.DOTALL)


def marked(before: str, after: str) -> list[tuple[str, str]]:
    """Pieces as (kind, text); kind is same, gone or come."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for op, a1, a2, b1, b2 in matcher.get_opcodes():
        if op == "equal":
            pieces.append(("same", "".join(old[a1:a2])))
            continue
        if a1 < a2:
            pieces.append(("gone", "".join(old[a1:a2])))
        if b1 < b2:
            pieces.append(("come", "".join(new[b1:b2])))
    return pieces
