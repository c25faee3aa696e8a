"""Codes people type: what is stored, and what they are told when it is wrong."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as reference

from fangyuan.core import codes

VALID = "91310115MA1K4Q8U0" + codes.uscc_check_digit("91310115MA1K4Q8U0")


@pytest.mark.parametrize(
    "typed", [VALID, VALID.lower(), f" {VALID[:8]} {VALID[8:]} ", f"{VALID}\u200b"]
)
def test_a_credit_code_is_stored_in_one_form(typed: str) -> None:
    assert codes.uscc(typed) == VALID


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (VALID[:-1], "现为 17 位"),
        (VALID[:9] + "O" + VALID[10:], "第 10 位「O」.*可能是 0"),
        (VALID[:9] + "I" + VALID[10:], "可能是 1"),
        ("310115600123456", "旧注册号"),
        ("MA1K4Q8U0", "组织机构代码"),
        ("C" + VALID[1:], "登记管理部门"),
        (VALID[:3] + "A" + VALID[4:], "行政区划"),
        (VALID[:-1] + ("A" if VALID[-1] != "A" else "B"), "校验位不符：按前 17 位应为"),
        ("", "现为 0 位"),
    ],
)
def test_a_wrong_credit_code_is_told_what_is_wrong(typed: str, told: str) -> None:
    with pytest.raises(codes.CodeError, match=told):
        codes.uscc(typed)


BODY = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9)


@given(st.sampled_from(["91", "92", "93", "12", "51"]), st.integers(0, 999999), BODY)
def test_the_check_digit_agrees_with_another_implementation(
    kind: str, area: int, body: str
) -> None:
    code = f"{kind}{area:06d}{body}"
    whole = code + codes.uscc_check_digit(code)
    assert reference.calc_check_digit(code) == whole[-1]
    assert codes.is_valid("uscc", whole) == reference.is_valid(whole)


def test_real_credit_codes_pass(samples: Path) -> None:
    source = samples / "cn_enterprises_sample" / "enterprises_sample.csv"
    with source.open(encoding="utf-8-sig", newline="") as lines:
        faults = [codes.fault("uscc", row["统一社会信用代码"]) for row in csv.DictReader(lines)]
    assert faults.count("") == 398
    assert all("旧注册号" in fault for fault in faults if fault)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13800138000", "13800138000"),
        ("13800138000.0", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("(0755) 2671 2345", "0755-26712345"),
        ("0755-26712345-801", "0755-26712345-801"),
        ("+86-755-26712345转801", "0755-26712345-801"),
        ("86 21 6234 5678", "021-62345678"),
        ("010-62345678 分机:12", "010-62345678-12"),
        ("025-84312345x12", "025-84312345-12"),
        ("4008208820", "400-820-8820"),
        ("800-820-8820", "800-820-8820"),
        ("95588", "95588"),
        ("+852 2345 6789", "+85223456789"),
        ("+1 (415) 555-2671", "+14155552671"),
    ],
)
def test_a_telephone_number_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert codes.phone(typed) == stored
    assert codes.phone(stored) == stored
    assert re.search(codes.STORED["phone"], stored)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "电话为空"),
        ("1380013", "现为 7 位"),
        ("138001380001", "现为 12 位"),
        ("12800138000", "号段"),
        ("26712345", "缺区号"),
        ("0755-2671", "区号或位数"),
        ("40082088", "400、800"),
        ("1.38E+10", "科学计数法"),
        ("13800138000/13900139000", "一格只填一个"),
        ("13800138000abc", "「abc」"),
        ("13800138000转1", "分机"),
        ("+12", "国际号码"),
        ("999", "不是手机"),
    ],
)
def test_a_wrong_telephone_number_is_told_what_is_wrong(typed: str, told: str) -> None:
    with pytest.raises(codes.CodeError, match=told):
        codes.phone(typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Li.Lei@Example.COM ", "li.lei@example.com"),
        ("mailto:a+b@mail.example.cn", "a+b@mail.example.cn"),
        ("ａ＠ｂ。ｃｎ", "a@b.cn"),
        ("x_y-z@a-b.example", "x_y-z@a-b.example"),
    ],
)
def test_a_mail_address_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert codes.email(typed) == stored
    assert re.search(codes.STORED["email"], stored)


@pytest.mark.parametrize(
    "typed",
    ["", "a", "a@", "@b.cn", "a@b", "a@@b.cn", "a..b@c.cn", ".a@c.cn", "a@-b.cn", "a@b.c",
     "a b@c.cn", "a@b.cn,c@d.cn", "李@c.cn", "a@1.2.3.4",
     "a" * 65 + "@c.cn", "a@" + "b" * 64 + ".cn"],
)  # fmt: skip
def test_a_wrong_mail_address_is_told_so(typed: str) -> None:
    assert "邮箱" in codes.fault("email", typed)


@pytest.mark.parametrize(
    ("typed", "ok"), [("518000", True), ("518000.0", True), ("5180", False), ("x", False)]
)
def test_a_post_code_has_six_digits(typed: str, ok: bool) -> None:
    assert codes.is_valid("postcode", typed) is ok


@given(st.sampled_from(sorted(codes.FORMATS)), st.text(max_size=40))
def test_any_text_is_read_or_refused_in_chinese(form: str, typed: str) -> None:
    fault = codes.fault(form, typed)
    if fault:
        assert re.search("[一-龥]", fault)
        return
    stored = codes.FORMATS[form](typed)
    assert codes.FORMATS[form](stored) == stored
    assert re.search(codes.STORED[form], stored)
