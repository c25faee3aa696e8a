"""Addresses to regions: the smallest division that is certain, and no guess."""

import csv
from pathlib import Path

import pytest

from fangyuan.core import places


def named(address: str) -> str:
    return "/".join(place.label for place in places.path_of(places.region_of(address)))


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("浙江省杭州市西湖区文三路 1 号", "浙江省/杭州市/西湖区"),
        ("上海市普陀区真北路3185号", "上海市/普陀区"),
        ("北京朝阳区建国路", "北京市/朝阳区"),
        ("江苏省昆山市前进路", "江苏省/苏州市/昆山市"),
        ("深圳市南山区科技园", "广东省/深圳市/南山区"),
        ("中国广东深圳", "广东省/深圳市"),
        ("吉林市船营区", "吉林省/吉林市/船营区"),
        ("吉林长春市朝阳区", "吉林省/长春市/朝阳区"),
        ("内蒙古呼和浩特市新城区", "内蒙古自治区/呼和浩特市/新城区"),
        ("闵行区莘庄", "上海市/闵行区"),
        ("台湾省台北市", "台湾省"),
        ("朝阳区建国路", ""),
        ("南京西路 1 号", ""),
        ("北京东路", ""),
        ("上海市四川北路2121号", "上海市"),
        ("Room 3, Berlin", ""),
        ("", ""),
    ],
)
def test_an_address_gives_the_smallest_certain_region(address: str, region: str) -> None:
    assert named(address) == region


def test_real_addresses_agree_with_the_district_on_record(samples: Path) -> None:
    source = samples / "cn_enterprises_sample" / "enterprises_sample.csv"
    with source.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = [(named(row["注册地址"]), row["地区"][:2]) for row in rows]
    certain = [(path, district) for path, district in found if path.count("/")]
    assert len(certain) > 0.9 * len(rows)
    assert all(district in path for path, district in certain)
