"""The living page of components: every small piece drawn once, from fixed sample values.

It reads nothing from the database; whoever changes a style looks here first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from fangyuan.desk import looking_back

COLOURS = (
    ("paper", "宣纸"),
    ("surface", "纸面"),
    ("sunken", "凹面"),
    ("line", "界线"),
    ("ink", "墨"),
    ("ink-2", "淡墨"),
    ("ink-3", "枯墨"),
    ("navy", "墨蓝 主色"),
    ("navy-soft", "墨蓝 浅"),
    ("jade", "竹青 守规"),
    ("jade-soft", "竹青 浅"),
    ("amber", "藤黄 将到期"),
    ("amber-soft", "藤黄 浅"),
    ("red", "朱砂 违规"),
    ("red-soft", "朱砂 浅"),
)
TREND = (4, 6, 2, 8, 6, 10, 8, 12, 9, 10)


class SampleForm(forms.Form):
    """A form with a right field, a wrong one, a choice and a tick."""

    name = forms.CharField(label="客户全称", widget=forms.TextInput({"class": "inp"}))
    phone = forms.CharField(
        label="联系电话", min_length=11, widget=forms.TextInput({"class": "inp"})
    )
    trade = forms.ChoiceField(
        label="行业",
        required=False,
        help_text="按国民经济行业分类",
        choices=[("", "请选"), ("C", "制造业")],
        widget=forms.Select({"class": "inp"}),
    )
    planned = forms.BooleanField(
        label="加入拜访计划", required=False, widget=forms.CheckboxInput({"class": "ck"})
    )


def _form() -> SampleForm:
    form = SampleForm({"name": "明榆包装有限公司", "phone": "13800138000", "planned": "on"})
    form.add_error("phone", "这个手机号已属于「沐禾乳业」")
    return form


def _duties(now: datetime) -> list[SimpleNamespace]:
    day = timedelta(days=1)
    late = now - timedelta(minutes=17)
    soon = now + timedelta(hours=1, minutes=42, seconds=8)
    later = now + timedelta(days=2, hours=3)
    common: dict[str, Any] = {
        "clause": "KA-3.3.2",
        "name": "拜访记录 24h",
        "clause_url": "#",
        "url": "#",
        "clock": "–",
    }
    return [
        SimpleNamespace(
            pk=1, title="补录拜访记录", subject="凌川半导体（无锡）", done_text="",
            state="BREACHED", due=late, start=late - day, action="去补录", **common,
        ),
        SimpleNamespace(
            pk=2, title="写拜访记录", subject="华晟汽车零部件（苏州）", done_text="",
            state="OPEN", due=soon, start=soon - day, action="去填写", **common,
        ),
        SimpleNamespace(
            pk=3, title="更新客户标签", subject="瑞曜电池科技", done_text="", state="OPEN",
            due=later, start=now - day, action="去更新", **common,
        ),
        SimpleNamespace(
            pk=4, title="写拜访记录", subject="恒砺重工", state="MET", due=soon,
            start=soon - day, action="查看", done_text="提前 6:12", **common,
        ),
    ]  # fmt: skip


def _entries(now: datetime) -> list[dict[str, Any]]:
    named = {"clause": "KA-3.3.2", "name": "拜访记录 24h", "clause_url": "#"}
    return [
        {"icon": "clock", "tone": "soon", "title": "写昨天的拜访记录", "state": "soon",
         "text": "由周敏在 11:24 前提交", "at": now + timedelta(hours=1), **named},
        {"icon": "pin", "title": "拜访：二号线检测节拍确认", "note": "签到 10:14，离场 11:24",
         "text": "与陆怀远、丁楠面谈 70 分钟。节拍 42 秒可接受。", "at": now - timedelta(days=1)},
        {"seal": "违", "tone": "bad", "title": "拜访记录迟交 5 小时 12 分", "state": "bad",
         "text": "应于 15:40 前提交，实际 20:52。", "at": now - timedelta(days=8), **named},
        {"icon": "check", "tone": "ok", "title": "投诉按期答复",
         "text": "2 个工作日答复，客户评 4.5 / 5", "at": now - timedelta(days=320)},
    ]  # fmt: skip


def _rows(now: datetime) -> list[dict[str, Any]]:
    hour = timedelta(hours=1)
    made = (
        ("凌川半导体（无锡）", "半导体", "无锡", "A", "bad", -hour / 3, 81, "ok", "3382000"),
        (
            "华晟汽车零部件（苏州）",
            "汽车零部件",
            "苏州",
            "A",
            "soon",
            1.7 * hour,
            86,
            "ok",
            "4120000",
        ),
        ("沐禾乳业", "食品饮料", "常州", "B", "soon", 4 * hour, 43, "mut", "1286000"),
        ("鼎沅精密电子", "电子制造", "昆山", "C", "", 50 * hour, 74, "soon", "964000"),
    )
    return [
        {"name": name, "trade": trade, "city": city, "grade": grade, "state": state,
         "due": now + ahead, "health": health, "tone": tone, "amount": Decimal(amount),
         "owner": "周敏", "seen": now - 30 * hour * at, "clause": "KA-3.3.2", "short": "拜访记录",
         "tags": ("在线检测", "意向高")}
        for at, (name, trade, city, grade, state, ahead, health, tone, amount) in enumerate(made)
    ]  # fmt: skip


def _tree() -> list[dict[str, Any]]:
    numbers = {"open_count": 486, "due_count": 92, "trend": TREND}
    return [
        {"level": 0, "id": "ka", "open": True, "title": "KA 团队管理制度", "note": "8 章，41 条",
         "rate": Decimal("0.931"), "percent": 93.1, "breaches": 9, **numbers},
        {"level": 1, "id": "ka-3", "parent": "ka", "open": True, "title": "三、客户管理",
         "rate": Decimal("0.92"), "percent": 92, "breaches": 6, **numbers},
        {"level": 2, "id": "r1", "parent": "ka-3", "clause": "KA-3.3.1", "name": "月度拜访计划",
         "note": "每月 1 日前提交，经理审核", "url": "#", "rate": Decimal("0.986"), "percent": 98.6,
         "trend": TREND},
        {"level": 2, "id": "r2", "parent": "ka-3", "clause": "KA-7.3.2", "name": "文档归档",
         "note": "项目结束后 5 个工作日内归档", "state": "bad", "url": "#", "breaches": 3,
         "rate": Decimal("0.826"), "percent": 82.6, **numbers},
    ]  # fmt: skip


def _tiles() -> list[dict[str, Any]]:
    return [
        {"title": "今日义务", "value": 2, "unit": "/ 6 件", "ring": 33, "ring_text": "33%"},
        {"title": "我的守规率", "scope": "本月", "value": "96.2", "unit": "%", "spark": TREND,
         "tone": "ok"},
        {"title": "本月回款", "value": "¥186.4", "unit": "万 / 240 万", "bar": 77.7},
        {"title": "在手商机", "value": "¥889", "unit": "万，10 个", "note": "本周 +86 万"},
    ]  # fmt: skip


def _past(now: datetime) -> SimpleNamespace:
    """The end of a day a month ago, before the ledger was kept."""
    day = timezone.localdate(now) - timedelta(days=30)
    return SimpleNamespace(
        said=f"{day} 24:00", day=day, is_known=False, kept_since=now - timedelta(days=9)
    )


def sample(now: datetime) -> dict[str, Any]:
    """Everything the page shows, as of `now`."""
    ahead = timedelta(days=2, hours=5), timedelta(hours=1, minutes=42), timedelta(minutes=-17)
    spans = [{"due": now + far, "start": now + far - timedelta(days=3)} for far in ahead]
    names = ("周敏", "罗思远", "唐婧", "郭帆")
    steps = (("已发", "done"), ("整改中", "done"), ("复核", "now"), ("销号", ""))
    return {
        "past": _past(now),
        "past_days": looking_back.days(timezone.localdate(now)),
        "colours": COLOURS,
        "trend": TREND,
        "spans": spans,
        "form": _form(),
        "duties": _duties(now),
        "entries": _entries(now),
        "rows": _rows(now),
        "tree": _tree(),
        "tiles": _tiles(),
        "people": [SimpleNamespace(pk=at, name=name) for at, name in enumerate(names)],
        "steps": [{"label": label, "state": state} for label, state in steps],
        "chips": [{"label": "等级", "value": "A、B", "on": True, "url": "#"}],
        "add": [{"label": "行业", "url": "#"}, {"label": "地区", "url": "#"}],
        "segments": [{"label": t, "url": "#", "current": t == "今日"} for t in ("今日", "本周")],
        "tabs": [
            {"label": "时间线", "url": "#", "current": True},
            {"label": "商机", "url": "#", "count": 3},
            {"label": "文档", "url": "#"},
        ],
        "actions": [
            {"label": "转移负责人", "icon": "move", "url": "#"},
            {"label": "加标签", "icon": "tag", "url": "#"},
        ],
    }


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every component."""
    return render(request, "components.html", sample(timezone.now()))
