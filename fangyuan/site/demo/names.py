"""Invented names of companies, people and places; no real one is meant."""

from __future__ import annotations

from random import Random

from fangyuan.core import codes

SURNAMES = "周林许韩宋陈罗何唐丁陆程沈顾梁贺蒋严薛邵叶孟方石崔江范谭姚汪潘段傅秦尹侯万钱黎龚"
GIVEN = (
    "敏 岳 国栋 璐 祺 立群 思远 叶 婧 蔚 怀远 丹 子昂 晓雯 致远 佳宁 明哲 若曦 嘉树 雨桐 景行 书瑶 "
    "一鸣 清越 文博 静姝 浩然 芷若 彦君 海宁 云舟 沐阳 知秋 予安 星河 南乔 承志 秋实 远山 可心"
).split()
BRANDS = (
    "凌川 华晟 恒砺 鼎沅 瑞曜 沐禾 明榆 远岑 北屿 澄昱 启岳 弘晟 朗越 青垣 禾盛 云岚 泽远 铭峰 "
    "昭阳 锐蓝 景泓 宸光 竹溪 川渡 望舒 岳麟 渊博 海桐 星野 晏海 盛屿 荣岳 捷岚 丰岑 融川 "
    "达榆 维晟 拓砺 信沅 正曜"
).split()
TRADES = {
    "36": "汽车零部件",
    "39": "半导体",
    "38": "电气",
    "34": "精密机械",
    "35": "装备",
    "14": "食品",
    "22": "包装",
    "27": "医药",
    "26": "新材料",
    "59": "物流",
    "65": "软件",
}
CITIES = {
    "苏州": ("320500", 31.30, 120.62, ["工业园区星湖街", "吴中区东吴北路", "相城区春申湖路"]),
    "无锡": ("320200", 31.57, 120.30, ["新吴区长江路", "滨湖区太湖大道"]),
    "杭州": ("330100", 30.27, 120.16, ["滨江区江南大道", "萧山区市心北路"]),
    "上海": ("310000", 31.23, 121.47, ["嘉定区胜辛路", "浦东新区金科路", "松江区莘砖公路"]),
    "南京": ("320100", 32.06, 118.80, ["江宁区诚信大道", "浦口区浦滨路"]),
    "合肥": ("340100", 31.82, 117.23, ["高新区望江西路", "经开区锦绣大道"]),
    "武汉": ("420100", 30.59, 114.31, ["东湖高新区光谷大道", "江汉区建设大道"]),
    "深圳": ("440300", 22.55, 114.06, ["南山区科苑路", "宝安区新安街道"]),
    "广州": ("440100", 23.13, 113.26, ["黄埔区科学大道", "番禺区南大路"]),
    "成都": ("510100", 30.57, 104.07, ["高新区天府大道", "双流区西航港"]),
}
TITLES = ["采购总监", "设备部长", "技术经理", "生产厂长", "采购经理", "总经理助理", "质量部长"]
SITUATIONS = [
    "看了二号线的节拍，样件复测通过",
    "和设备部对了接口清单，现场走了一遍",
    "介绍了新版控制柜，客户演示了旧线的停机记录",
    "谈了年度用量和分批交期，财务也在场",
    "复盘上季交付，列了三个待改的点",
]
FEEDBACKS = [
    "质保希望延到 18 个月，尾款想放到 30%",
    "认可方案，担心切换时停线",
    "价格要再往下谈一点，先给小批试用",
    "希望月底前给到书面答复",
    "总体满意，现场响应可以再快",
]
RESULTS = [
    "约定下周三前提交修订方案，双方技术对接",
    "样件月底寄出，客户两周内给结论",
    "客户走内部立项，预计下月初有结果",
    "确认了三项参数，下次带报价来谈",
    "约好下月回访，先由技术支持远程跟进",
]


def person(luck: Random) -> str:
    """A name of two or three characters."""
    return luck.choice(SURNAMES) + luck.choice(GIVEN)


def company(luck: Random, taken: set[str]) -> tuple[str, str, str]:
    """A company name not taken yet, with its industry code and city."""
    while True:
        industry, trade = luck.choice(list(TRADES.items()))
        city = luck.choice(list(CITIES))
        name = f"{luck.choice(BRANDS)}{trade}（{city}）有限公司"
        if name not in taken:
            taken.add(name)
            return name, industry, city


def uscc(luck: Random, region: str) -> str:
    """A well-formed unified social credit code for a region."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    first = "91" + region + "".join(luck.choice(alphabet) for _ in range(9))
    return first + codes.uscc_check_digit(first)


def phone(number: int) -> str:
    """A mobile number from a row of zeros that nobody is given."""
    return f"1990000{number:04d}"
