"""Amounts: 大写, rounding, display and what people type."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fangyuan.core import money

AMOUNTS = st.decimals("0.01", "9999999999999999.99", places=2)
VALUES = {char: value for value, char in enumerate("零壹贰叁肆伍陆柒捌玖")}


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("10.05", "壹拾元零伍分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("100000", "壹拾万元整"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("1001000", "壹佰万壹仟元整"),
        ("100001000", "壹亿零壹仟元整"),
        ("100010000", "壹亿零壹万元整"),
        ("300004034.43", "叁亿零肆仟零叁拾肆元肆角叁分"),
        ("1000000000000", "壹万亿元整"),
        ("1000100000000", "壹万零壹亿元整"),
        ("1000000010000", "壹万亿零壹万元整"),
        ("-12.30", "负壹拾贰元叁角整"),
        ("0.005", "壹分"),
    ],
)
def test_an_amount_is_written_in_capitals(amount: str, written: str) -> None:
    assert money.capital(Decimal(amount)) == written


def read_back(text: str) -> int:
    """Read whole yuan in capitals, by multiplying up, unlike the way they are written."""
    total = section = digit = 0
    for char in text:
        if char in VALUES:
            digit = VALUES[char]
        elif char in "拾佰仟":
            section += digit * {"拾": 10, "佰": 100, "仟": 1000}[char]
            digit = 0
        elif char == "万":
            total += (section + digit) * 10**4
            section = digit = 0
        else:
            total = (total + section + digit) * 10**8
            section = digit = 0
    return total + section + digit


@given(AMOUNTS)
def test_capitals_read_back_to_the_amount(amount: Decimal) -> None:
    written = money.capital(amount)
    yuan, _, rest = written.rpartition("元")
    jiao = VALUES[rest[rest.index("角") - 1]] if "角" in rest else 0
    fen = VALUES[rest[rest.index("分") - 1]] if "分" in rest else 0
    assert read_back(yuan) + Decimal(jiao * 10 + fen) / 100 == amount
    assert "零零" not in written
    assert written.endswith(("整", "分"))


def test_an_amount_too_large_is_refused() -> None:
    with pytest.raises(money.MoneyError):
        money.capital(Decimal(10) ** 16)


@pytest.mark.parametrize(
    ("amount", "fen"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68")]
)
def test_halves_are_rounded_away_from_zero(amount: str, fen: str) -> None:
    assert money.to_fen(Decimal(amount)) == Decimal(fen)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        money.to_fen(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "short", "full"),
    [
        ("123456.785", "12.3", "123,456.79"),
        ("12345678900", "1,234,567.9", "12,345,678,900.00"),
        ("500", "0.1", "500.00"),
        ("-1", "0.0", "-1.00"),
        (None, "–", "–"),
    ],
)
def test_lists_show_ten_thousands_and_documents_show_yuan(
    amount: str | None, short: str, full: str
) -> None:
    value = None if amount is None else Decimal(amount)
    assert money.wan(value) == short
    assert money.yuan(value) == full


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1,200.50", "1200.50"),
        ("¥ 1200", "1200"),
        ("￥-3.5", "-3.5"),
        ("1.2万", "12000"),
        ("3亿元", "300000000"),
        ("500万人民币", "5000000"),
        ("人民币 50 万元整", "500000"),
        ("100,000(万元人民币)", "1000000000"),
        ("１２．５", "12.5"),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed: str, amount: str) -> None:
    assert money.parse(typed) == Decimal(amount)


@pytest.mark.parametrize(
    "typed", ["", "约 50 万", "1,20", "1.234", "1e5", "NaN", "0.0000001万", "$5", "1..2"]
)
def test_what_is_not_an_amount_is_refused(typed: str) -> None:
    with pytest.raises(money.MoneyError, match="金额"):
        money.parse(typed)


def test_real_capital_strings_in_yuan_are_read(samples: Path) -> None:
    source = samples / "cn_enterprises_sample" / "enterprises_sample.csv"
    with source.open(encoding="utf-8-sig", newline="") as lines:
        typed = [row["注册资金"] for row in csv.DictReader(lines) if "人民币" in row["注册资金"]]
    assert len(typed) > 200
    assert all(money.parse(text) >= 0 for text in typed)
