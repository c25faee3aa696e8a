"""Names as they are searched and compared: one normal form, its grams, its pinyin.

Pure functions of the text; the same input gives the same key in the page, the import and the index.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final, NamedTuple

from fangyuan.core import readings

# Readings of surnames that differ from the character's everyday reading, or are easily misread.
_SURNAME_READINGS: Final = """
曾zeng 单shan 仇qiu 解xie 区ou 朴piao 翟zhai 覃qin 查zha 乐yue 缪miao 盖ge 卜bu 召shao
种chong 员yun 黑he 任ren 华hua 宿su 折she 繁po 逄pang 么yao 幺yao 佴nai 洗xian 冼xian 能nai
隗wei 秘bi 祭zhai 费fei 柏bai 晁chao 谌chen 郗xi 车che 石shi 沈shen 葛ge 宁ning 都du 薄bo
那na 纪ji 哈ha 句gou 盛sheng 角jue 过guo 尉wei 应ying 訾zi 呙guo 芮rui 逯lu 阚kan 褚chu
厍she 邸di 郄qie 郤xi 郇xun 贲ben 贾jia 昝zan 粘nian 占zhan 重chong 藏zang 撒sa 相xiang
舍she 亓qi 瞿qu 曲qu 余yu 俞yu 臧zang 强qiang 塔ta 缴jiao 降jiang 炅gui 适kuo 瓮weng 蕃bo
颉xie 俱ju 牟mu 乜nie 万wan 牛niu 少shao 轧ya 刁diao 钭tou 逢pang 殷yin 尹yin 鲜xian 洪hong
扁bian 莘shen 南nan
"""
_DOUBLE_SURNAMES: Final = """
欧阳ou,yang 司马si,ma 上官shang,guan 诸葛zhu,ge 尉迟yu,chi 长孙zhang,sun 万俟mo,qi
令狐ling,hu 单于chan,yu 澹台tan,tai 夏侯xia,hou 皇甫huang,fu 赫连he,lian 鲜于xian,yu
慕容mu,rong 司徒si,tu 司空si,kong 宇文yu,wen 轩辕xuan,yuan 东方dong,fang 西门xi,men
南宫nan,gong 百里bai,li 呼延hu,yan 公孙gong,sun 仲孙zhong,sun 太史tai,shi 濮阳pu,yang
淳于chun,yu 端木duan,mu 独孤du,gu 拓跋tuo,ba 钟离zhong,li 闾丘lv,qiu 公冶gong,ye
宗政zong,zheng 申屠shen,tu 梁丘liang,qiu 左丘zuo,qiu 东郭dong,guo 尔朱er,zhu 公羊gong,yang
谷梁gu,liang 完颜wan,yan 纳兰na,lan 第五di,wu 南门nan,men 东门dong,men
"""
# Longest first, so that a form inside a longer one is not cut out of it.
_FORMS: Final = (
    "集团股份有限公司|集团有限责任公司|集团有限公司|股份有限公司|有限责任公司|有限公司|股份公司|集团公司"
    "|特殊普通合伙|合伙企业|有限合伙|普通合伙|个人独资企业|个人独资|控股集团|总公司|公司|集团"
    "|companylimited|coltd|colimited|limited|ltd|corporation|corp|incorporated|inc|llc|gmbh"
)
_AT_END: Final = re.compile(f"(?:{_FORMS})$")
_BRANCH: Final = re.compile(
    f"(?:{_FORMS})(?=.{{1,12}}(?:分公司|分厂|分店|分行|支行|办事处|代表处|分部)$)"
)
_BRACKETS: Final = str.maketrans("【〔［〖「『﹝{[】〕］〗」』﹞}]", "(" * 9 + ")" * 9)


class _Kept(dict[int, str | None]):
    """Letters and digits of names; every other character maps to nothing, decided once each."""

    def __missing__(self, code: int) -> str | None:
        kept = chr(code) if chr(code).isalnum() else None
        self[code] = kept
        return kept


_KEPT: Final = _Kept()


class Pinyin(NamedTuple):
    """The reading of a name: all syllables joined, and their first letters."""

    full: str
    initials: str

    @property
    def key(self) -> str:
        """Give the one string that is searched for either."""
        return f"{self.full} {self.initials}"


def tidy(text: str) -> str:
    """Clean a name for keeping: full width to half, one kind of bracket, single spaces."""
    text = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def normalise(text: str) -> str:
    """Give the form for comparing names: half width, lower case, letters and digits only."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(_KEPT)
    return unicodedata.normalize("NFKC", plain)


def core_name(text: str) -> str:
    """Give the normal form without the form of organisation (有限公司 …), to find doubles."""
    whole = name = normalise(text)
    if _BRANCH.search(name):
        return _BRANCH.sub("", name)
    while (shorter := _AT_END.sub("", name)) != name and len(shorter) > 1:
        name = shorter
    return name if len(name) > 1 else whole


def grams(text: str) -> list[str]:
    """Give the single characters and pairs of neighbours of a name, sorted, each once."""
    plain = normalise(text)
    return sorted({*plain, *map("".join, zip(plain, plain[1:], strict=False))})


def query_grams(text: str) -> list[str]:
    """Give the grams that every name containing the words typed must have."""
    plain = normalise(text)
    pairs = set(map("".join, zip(plain, plain[1:], strict=False)))
    return sorted(pairs or plain)


def company_pinyin(name: str) -> Pinyin:
    """Read a company's or any other name aloud."""
    return _joined(syllables(name))


def person_pinyin(name: str) -> Pinyin:
    """Read a person's name aloud, with the surname as surnames are read."""
    plain = normalise(name)
    if double := _double_surnames().get(plain[:2]):
        return _joined((*double, *syllables(plain[2:])))
    surname = _surnames().get(plain[:1]) or "".join(syllables(plain[:1]))
    return _joined((surname, *syllables(plain[1:])))


def syllables(name: str) -> tuple[str, ...]:
    """Give one syllable for each character; letters and digits stand for themselves."""
    plain = normalise(name)
    sizes, phrases = _phrase_sizes(), readings.phrases()
    characters = readings.characters()
    found: list[str] = []
    place = 0
    while place < len(plain):
        for size in sizes.get(plain[place], ()):
            phrase = plain[place : place + size]
            if phrase in phrases:
                found += phrases[phrase].split() or [characters[char] for char in phrase]
                place += size
                break
        else:
            found.append(characters.get(plain[place], plain[place]))
            place += 1
    return tuple(found)


def pinyin_queries(text: str) -> list[str]:
    """Give the strings to look for in a key: what was typed, and `huasheng cq` as `hscq`."""
    typed = normalise(text)
    if not (typed.isascii() and typed):
        return []
    parts = _cut(typed)
    mixed = {len(part) > 1 for part in parts} == {True, False}
    return [typed, "".join(part[0] for part in parts)] if mixed else [typed]


def _joined(parts: tuple[str, ...]) -> Pinyin:
    return Pinyin("".join(parts), "".join([part[0] for part in parts if part]))


@cache
def _surnames() -> dict[str, str]:
    return {entry[0]: entry[1:] for entry in _SURNAME_READINGS.split()}


@cache
def _double_surnames() -> dict[str, tuple[str, ...]]:
    return {entry[:2]: tuple(entry[2:].split(",")) for entry in _DOUBLE_SURNAMES.split()}


@cache
def _phrase_sizes() -> dict[str, tuple[int, ...]]:
    """Map a character to the lengths of the phrases that begin with it, the longest first."""
    found: dict[str, set[int]] = {}
    for phrase in readings.phrases():
        found.setdefault(phrase[0], set()).add(len(phrase))
    return {char: tuple(sorted(sizes, reverse=True)) for char, sizes in found.items()}


@cache
def _known_syllables() -> frozenset[str]:
    read = {read for char, read in readings.characters().items() if "一" <= char <= "龥"}
    return frozenset(syllable for syllable in read if set(syllable) & set("aeiouv"))


def _cut(typed: str) -> list[str]:
    """Cut typed letters into syllables, the longest first, and single letters in between."""
    parts = []
    while typed:
        size = next((n for n in range(6, 1, -1) if typed[:n] in _known_syllables()), 1)
        parts.append(typed[:size])
        typed = typed[size:]
    return parts
