"""Names: one normal form, its grams and its pinyin."""

import csv
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin, load_phrases_dict, load_single_dict
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from fangyuan.core import readings, text


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("上海华盛（集团）有限公司", "上海华盛集团有限公司"),
        ("ＡＢＣ　Ｃｏ．，Ｌｔｄ", "abccoltd"),
        ("  华 盛\t云达 ", "华盛云达"),
        ("3M中国®", "3m中国"),
        ("①号店", "1号店"),
        ("—— ！", ""),
        ("华\u200b盛", "华盛"),
    ],
)
def test_names_have_one_normal_form(typed: str, normal: str) -> None:
    assert text.normalise(typed) == normal


@given(st.text())
def test_normalising_twice_changes_nothing(typed: str) -> None:
    once = text.normalise(typed)
    assert text.normalise(once) == once


def test_a_tidied_name_keeps_its_look_but_has_one_kind_of_bracket() -> None:
    assert text.tidy(" 上海华盛【集团】\u3000有限公司\x07\n") == "上海华盛(集团) 有限公司"


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("上海华盛（集团）股份有限公司", "上海华盛"),
        ("华盛科技有限责任公司", "华盛科技"),
        ("华盛科技有限公司上海分公司", "华盛科技上海分公司"),
        ("云达股权投资合伙企业（有限合伙）", "云达股权投资"),
        ("Huasheng Cloud Co., Ltd.", "huashengcloud"),
        ("有限公司", "有限公司"),
        ("华盛", "华盛"),
    ],
)
def test_the_core_of_a_name_has_no_form_of_organisation(name: str, core: str) -> None:
    assert text.core_name(name) == core


def test_grams_are_single_characters_and_pairs_each_once() -> None:
    assert text.grams("华盛-华盛") == ["华", "华盛", "盛", "盛华"]
    assert text.query_grams("盛华盛") == ["华盛", "盛华"]
    assert text.query_grams("盛") == ["盛"]
    assert text.query_grams("，") == []


@given(st.text(max_size=30), st.data())
def test_a_name_has_every_gram_of_any_piece_of_it(name: str, data: st.DataObject) -> None:
    plain = text.normalise(name)
    start = data.draw(st.integers(0, len(plain)))
    piece = plain[start : start + data.draw(st.integers(0, 6))]
    assert set(text.query_grams(piece)) <= set(text.grams(name))


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("重庆长安汽车", "chongqingchanganqiche", "cqcaqc"),
        ("中国银行", "zhongguoyinhang", "zgyh"),
        ("华盛云达", "huashengyunda", "hsyd"),
        ("长盛成长都市", "changshengchengzhangdushi", "csczds"),
        ("3M中国", "3mzhongguo", "3mzg"),
        ("绿地", "lvdi", "ld"),
        ("方略", "fanglue", "fl"),
        ("", "", ""),
    ],
)
def test_a_company_is_read_by_its_words(name: str, full: str, initials: str) -> None:
    assert text.company_pinyin(name) == (full, initials)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("曾志远", "zengzhiyuan"),
        ("单晓田", "shanxiaotian"),
        ("仇英", "qiuying"),
        ("解晓东", "xiexiaodong"),
        ("区志强", "ouzhiqiang"),
        ("朴正浩", "piaozhenghao"),
        ("翟天", "zhaitian"),
        ("覃海", "qinhai"),
        ("查良", "zhaliang"),
        ("乐嘉", "yuejia"),
        ("缪斌", "miaobin"),
        ("任重", "renzhong"),
        ("欧阳雪", "ouyangxue"),
        ("尉迟恭", "yuchigong"),
        ("万俟安", "moqian"),
        ("吕布", "lvbu"),
        ("张三", "zhangsan"),
        ("Li Lei", "lilei"),
        ("王", "wang"),
        ("", ""),
    ],
)
def test_a_surname_is_read_as_surnames_are(name: str, full: str) -> None:
    assert text.person_pinyin(name).full == full


def test_the_surname_table_is_well_formed_and_large_enough() -> None:
    assert len(text._surnames()) >= 60
    assert all(reading.isascii() and reading.isalpha() for reading in text._surnames().values())
    assert all(len(readings) == 2 for readings in text._double_surnames().values())


@pytest.mark.parametrize(
    "typed", ["huasheng", "hscq", "huashengcq", "hschangq", "HuaSheng", "shengc"]
)
def test_full_short_and_mixed_pinyin_find_a_name(typed: str) -> None:
    key = text.company_pinyin("华盛长清").key
    assert key == "huashengchangqing hscq"
    assert any(query in key for query in text.pinyin_queries(typed))


def test_chinese_is_not_looked_for_as_pinyin() -> None:
    assert text.pinyin_queries("华盛") == []


def test_real_names_are_read_as_the_full_algorithm_reads_them(samples: Path) -> None:
    source = samples / "cn_enterprises_sample" / "enterprises_sample.csv"
    with source.open(encoding="utf-8-sig", newline="") as lines:
        names = [row["企业名称"] for row in csv.DictReader(lines)]
    assert len(names) == 400
    load_single_dict({ord(char): reading for char, reading in readings.NAMES_READ.items()})
    load_phrases_dict(
        {p: [[syllable] for syllable in r.split()] for p, r in readings.PHRASES_READ.items()}
    )
    for name in names:
        spelled = [readings.plain(s) for s in lazy_pinyin(text.normalise(name), errors=list)]
        assert list(text.syllables(name)) == spelled, name


def test_the_tables_say_what_the_library_says() -> None:
    phrases = {p: " ".join(readings.plain(r[0]) for r in rs) for p, rs in PHRASES_DICT.items()}
    ours = {p: " ".join(text.syllables(p)) for p in readings.phrases()}
    differ = {phrase for phrase in phrases if ours[phrase] != phrases[phrase]}
    assert differ <= set(readings.PHRASES_READ)
    known = {chr(code): readings.plain(r.split(",")[0]) for code, r in PINYIN_DICT.items()}
    differ = {char for char in known if readings.characters()[char] != known[char]}
    assert differ <= set(readings.NAMES_READ)
    assert len(known) == len(readings.characters())


def test_a_hundred_thousand_names_take_seconds() -> None:
    names = [
        f"{a}{b}{c}科技股份有限公司" for a in "华中大新长" for b in "盛海重行乐" for c in "云达都"
    ]
    text.company_pinyin("重庆")
    began = time.perf_counter()
    for name in names * 40:
        text.grams(name)
        assert text.company_pinyin(name).key
    # 3,000 names; the bound is eight times what a slow core needs for eight seconds per 100,000.
    assert time.perf_counter() - began < 2
