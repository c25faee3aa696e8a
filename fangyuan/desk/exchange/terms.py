"""Open vocabularies as files write them: code, label, other names, or the path of labels."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from typing import Any

from fangyuan.core.models import Term
from fangyuan.desk.exchange.mistakes import Bad

_TAIL = 4
_DIVISION = re.compile(
    "(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|自治州|自治县|地区|省|市|区|县|盟|旗)$"
)


class Lookups:
    """The vocabularies that one import or export needs, each read once."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, list[str]]] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._above: dict[str, dict[str, str | None]] = {}
        self._missed: dict[tuple[str, str], tuple[str, str]] = {}

    def key(self, domain: str, text: str) -> str:
        """The stored key (`domain:code`) of a term; raises Bad where none or several fit."""
        found = self._find(domain, text)
        if len(found) == 1:
            return found[0]
        if (domain, text) not in self._missed:
            self._missed[domain, text] = self._not_one(domain, text, found)
        raise Bad(*self._missed[domain, text])

    def _not_one(self, domain: str, text: str, found: list[str]) -> tuple[str, str]:
        """Reason and remedy where none or several terms fit."""
        if not found:
            near = difflib.get_close_matches(text, self._labels[domain].values(), n=3, cutoff=0.5)
            remedy = f"是不是“{'”“'.join(near)}”？" if near else "先在字典里加上它，或改用已有的项"
            return "字典里没有这一项", remedy
        codes = "、".join(key.split(":", 1)[1] for key in found[:_TAIL])
        return f"有 {len(found)} 项都叫这个名字", f"改填代码，如 {codes}"

    def code(self, domain: str, text: str) -> str:
        """The code alone, for sets."""
        return self.key(domain, text).split(":", 1)[1]

    def knows(self, domain: str, text: str) -> bool:
        """Whether the text is one term, as it stands."""
        return bool(text) and bool(self._find(domain, text))

    def label(self, domain: str, key: str) -> str:
        """The label of a term where it leads back to this term alone, else its code."""
        self.load(domain)
        label = self._labels[domain].get(key)
        code = key.split(":", 1)[-1]
        return label if label and self._find(domain, label) == [key] else code

    def _find(self, domain: str, text: str) -> list[str]:
        self.load(domain)
        names = self._names[domain]
        found = names.get(text) or names.get(text.removeprefix(f"{domain}:")) or []
        return self._topmost(domain, found or names.get(text.lower(), []))

    def _topmost(self, domain: str, found: list[str]) -> list[str]:
        """Of terms that stand in one line (教育 above 教育), the one above."""
        if len(found) < 2:
            return found
        above = self._above[domain]
        lines = {key: _line(above, key) for key in found}
        tops = [key for key in found if all(key in lines[other] for other in found)]
        return tops or found

    def load(self, domain: str) -> None:
        """Read a vocabulary, once."""
        if domain in self._names:
            return
        rows = list(
            Term.objects.everything("字典")
            .present()
            .filter(domain=domain, active=True)
            .values("parent_id", "key", "code", "label", "maps")
        )
        self._labels[domain] = {row["key"]: row["label"] for row in rows}
        self._above[domain] = {row["key"]: row["parent_id"] for row in rows}
        self._names[domain] = _names(rows)


def _line(above: dict[str, str | None], key: str | None) -> list[str]:
    line = []
    while key is not None and key not in line:
        line.append(key)
        key = above.get(key)
    return line


def _names(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Every way to write a term; codes win over labels, labels over other names."""
    by_key = {row["key"]: row for row in rows}
    codes: dict[str, list[str]] = defaultdict(list)
    labels: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        codes[row["code"]].append(row["key"])
        codes[row["code"].lower()] = codes[row["code"]]
        labels[_folded(row["label"])].append(row["key"])
        for name in {*_paths(row, by_key), _short(row), *row["maps"].get("synonyms", ())}:
            others[_folded(name)].append(row["key"])
    return {**others, **labels, **codes}


def _short(row: dict[str, Any]) -> str:
    """上海 for 上海市; people leave the kind of a division away."""
    label = str(row["label"])
    short = _DIVISION.sub("", label) if row["key"].startswith("region:") else label
    return short if len(short) > 1 else label


def _paths(row: dict[str, Any], by_key: dict[str, Any]) -> list[str]:
    """广东省深圳市南山区 and 广东省/深圳市/南山区."""
    line, seen = [row["label"]], {row["key"]}
    above = by_key.get(row["parent_id"])
    while above is not None and above["key"] not in seen:
        seen.add(above["key"])
        line.insert(0, above["label"])
        above = by_key.get(above["parent_id"])
    if len(line) < 2:
        return []
    return ["".join(line), "/".join(line), "".join(line[-2:])]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
