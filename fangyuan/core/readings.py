"""How Chinese characters and phrases are read, without tones: pypinyin's tables in little memory.

Imported as a library, pypinyin keeps fifty megabytes of lists in every process. Its two files are
read here instead, once, when the first name is spelled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from sys import intern
from typing import Final

# Names, unlike running text, read these characters so where no phrase says otherwise.
NAMES_READ: Final = {"长": "cháng", "都": "dū", "晟": "shèng", "泊": "bó"}
PHRASES_READ: Final = {"朝阳": "cháo yáng", "单县": "shàn xiàn", "秘书长": "mì shū zhǎng"}
_PHRASE: Final = re.compile(r'"([^"]+)":\s*\[\s*(\[[^:]*?\])\s*\]\s*[,}]')
_FIRST: Final = re.compile(r'\[\s*"([^"]*)"')
_CHARACTER: Final = re.compile(r'"(\d+)":\s*"([^",]*)')
_UMLAUT: Final = "u\u0308"
_TONES: Final = str.maketrans("", "", "\u0300\u0301\u0304\u030c")


@cache
def characters() -> dict[str, str]:
    """Map each character to its first reading."""
    found = {chr(int(code)): plain(reading) for code, reading in _entries("pinyin", _CHARACTER)}
    found.update((char, plain(reading)) for char, reading in NAMES_READ.items())
    return found


@cache
def phrases() -> dict[str, str]:
    """Map each phrase to the readings of its characters, or to nothing where they read as ever."""
    usual = characters()
    listed = ((phrase, _FIRST.findall(each)) for phrase, each in _entries("phrases", _PHRASE))
    own = ((phrase, reading.split()) for phrase, reading in PHRASES_READ.items())
    found = {}
    for phrase, syllables in chain(listed, own):
        read = list(map(plain, syllables))
        as_ever = read == [usual.get(char) for char in phrase]
        found[phrase] = "" if as_ever else " ".join(read)
    return found


@cache
def plain(reading: str) -> str:
    """Spell a syllable as keyboards have it: no tone, v for ü, but lue and nue."""
    spelled = unicodedata.normalize("NFD", reading).translate(_TONES).replace(_UMLAUT, "v")
    spelled = unicodedata.normalize("NFC", spelled)
    return intern(spelled[:-2] + "ue" if spelled in ("lve", "nve") else spelled)


def _entries(table: str, entry: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    spec = find_spec("pypinyin")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("没有安装 pypinyin，读不出拼音。请重新安装依赖。")
    source = Path(spec.submodule_search_locations[0], f"{table}_dict.json")
    return (found.groups() for found in entry.finditer(source.read_text("utf-8")))  # type: ignore[misc]
