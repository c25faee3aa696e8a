"""Tags and their values: what a record is called by, with proof; the rules of names and formats."""

from __future__ import annotations

import re
from typing import Final

from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Length

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.core.words import FORMATS
from fangyuan.desk.models.carried import Level, is_true
from fangyuan.org.models import Person

# Words that leave open what a name means, and signs that join two meanings in one (TAG-3.1.3a).
VAGUE: Final = ("等等", "之类", "若干", "一些", "某些", "大概", "可能", "杂项", "相关情况", "待定")
_JOINED: Final = re.compile(r"[/\\|、，,;；或]|^\s|\s$")
# How a value reads, by the type of its tag; a type without a line takes any text.
_SHAPES: Final = {
    "MONEY": r"^\d+(\.\d{1,2})?$",
    "INT": r"^-?\d+$",
    "DATE": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
    "RANGE": r"^-?\d+(\.\d+)?\s*(-|–|~|至)\s*-?\d+(\.\d+)?$",
    "SPAN": r"^\d+\s*(天|日|周|个月|月|年|小时|d|wd|h)$",
    "PHONE": FORMATS["phone"],
    "EMAIL": FORMATS["email"],
}


def is_plain(name: str) -> bool:
    """Whether a name says one thing."""
    return not _JOINED.search(name) and not any(word in name for word in VAGUE)


def _used() -> Coalesce:
    rows = TagValue._base_manager.filter(tag=OuterRef("pk"), removed_at=None).order_by()
    return Coalesce(Subquery(rows.values("tag").annotate(n=Count("pk")).values("n")), Value(0))


def _sources() -> Coalesce:
    same = TagValue._base_manager.filter(
        tag=OuterRef("tag"),
        subject_type=OuterRef("subject_type"),
        subject_id=OuterRef("subject_id"),
        removed_at=None,
    ).order_by()
    counted = same.values("tag").annotate(n=Count("source", distinct=True))
    return Coalesce(Subquery(counted.values("n")), Value(0))


def _fits() -> Case:
    """The value reads as its tag's type wants, or is one of the values that a closed tag lists."""
    listed = Func(
        F("value"),
        Func(F("tag__values"), Value("[、，,;；]"), function="regexp_split_to_array"),
        template="%(expressions)s)",
        function="",
        arg_joiner=" = ANY (",
        output_field=BooleanField(),
    )
    cases = [
        When(tag__value_type=kind, then=is_true(Q(value__regex=shape)))
        for kind, shape in _SHAPES.items()
    ]
    closed = When(Q(tag__value_type="ENUM") & ~Q(tag__values=""), then=listed)
    return Case(*cases, closed, default=Value(True), output_field=BooleanField())


class Tag(Record):
    """One entry of the tag dictionary; a tag bound to a field keeps no second truth."""

    class Object(models.TextChoices):
        CUSTOMER = "CUSTOMER", "客户"
        OPPORTUNITY = "OPPORTUNITY", "销售机会"
        PRODUCT = "PRODUCT", "产品"
        PERSON = "PERSON", "成员"

    class ValueType(models.TextChoices):
        TEXT = "TEXT", "文本"
        ENUM = "ENUM", "枚举"
        MONEY = "MONEY", "金额"
        RANGE = "RANGE", "区间"
        DATE = "DATE", "日期"
        SPAN = "SPAN", "时长"
        LIST = "LIST", "列表"
        PHONE = "PHONE", "电话"
        EMAIL = "EMAIL", "邮箱"
        ADDRESS = "ADDRESS", "地址"
        INT = "INT", "整数"

    class Stage(models.TextChoices):
        DRAFT = "DRAFT", "拟用"
        ACTIVE = "ACTIVE", "启用"
        DISABLED = "DISABLED", "停用"

    name = fields.Text("标签名")
    object = fields.Choice("对象", choices=Object)
    group = fields.TermField("组", domain="tag_group")
    value_type = fields.Choice("值型", choices=ValueType, default=ValueType.TEXT)
    bound_to = fields.Text("绑定事实", blank=True, default="")
    values = fields.Text("取值字典", blank=True, default="")
    is_required = models.BooleanField("必填", default=False)
    is_closed = models.BooleanField("封闭", default=False)
    level = fields.Choice("密级", choices=Level, default=Level.PUBLIC)
    definition = fields.Note("定义")
    usage = fields.Note("使用说明")
    refresh = fields.Text("更新周期", blank=True, default="")
    stage = fields.Choice("状态", choices=Stage, default=Stage.DRAFT)
    activated_at = models.DateTimeField("启用时间", null=True, blank=True)
    # Kept right whenever the dictionary is written: see `tagging`.
    names_plain = models.BooleanField("名称无歧义词", default=True, editable=False)
    near_names = models.PositiveIntegerField("近似名数", default=0, editable=False)

    tracked = ("stage", "names_plain", "near_names")
    stage_field = "stage"
    moves = {"DRAFT": ("ACTIVE", "DISABLED"), "ACTIVE": ("DISABLED",), "DISABLED": ("ACTIVE",)}
    governed = {"stage": "activate_tag", "activated_at": "activate_tag"}
    facts = {
        "name_length": facts.Derived("名称字数", kind="int", value=lambda: Length("name")),
        "used_count": facts.Derived(
            "使用数", kind="int", reads=(("tag_value", "tag"),), value=lambda: _used()
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "标签"
        ordering = ["object", "group", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["object", "name"],
                name="tag_name",
                violation_error_message="这个对象已有同名标签，请直接用它",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def index(self) -> None:
        self.names_plain = is_plain(self.name)


class TagValue(Record):
    """One proof of a tag's value on a record: value, source, who, verified, checked."""

    class Verified(models.TextChoices):
        NEW = "NEW", "未核实"
        VERIFIED = "VERIFIED", "已核实"
        DOUBTFUL = "DOUBTFUL", "存疑"

    class Checked(models.TextChoices):
        WAITING = "WAITING", "待审"
        PASSED = "PASSED", "通过"
        RETURNED = "RETURNED", "退改"

    tag = models.ForeignKey(Tag, models.PROTECT, related_name="tag_values", verbose_name="标签")
    subject = fields.AnyField("对象")
    value = fields.Text("值")
    source = fields.TermField("来源", domain="info_source")
    decided_at = models.DateTimeField("确定时间")
    verified = fields.Choice("核实", choices=Verified, default=Verified.NEW)
    example = fields.Note("事例")
    doubted_at = models.DateTimeField("存疑时间", null=True, blank=True)
    resolved_at = models.DateTimeField("确认时间", null=True, blank=True)
    checked = fields.Choice("审核", choices=Checked, default=Checked.WAITING)
    checked_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人"
    )
    checked_at = models.DateTimeField("审核时间", null=True, blank=True)
    return_note = fields.Note("退改意见")
    notified_at = models.DateTimeField("通知时间", null=True, blank=True)
    fixed_at = models.DateTimeField("改好时间", null=True, blank=True)
    replaced_at = models.DateTimeField("被替换", null=True, blank=True)

    begins = "decided_at"
    tracked = ("verified", "checked")
    reach = {"any": ("subject",)}
    stage_field = "checked"
    moves = {"WAITING": ("PASSED", "RETURNED"), "RETURNED": ("WAITING",)}
    governed = {
        "doubted_at": "doubt_tag",
        "resolved_at": "resolve_tag",
        "checked": "pass_tag",
        "checked_by": "pass_tag",
        "checked_at": "pass_tag",
        "return_note": "return_tag",
        "notified_at": "return_tag",
        "fixed_at": "fix_tag",
        "replaced_at": "record_tag",
    }
    facts = {
        "format_ok": facts.Derived("格式合规", kind="bool", value=lambda: _fits()),
        "source_count": facts.Derived(
            "来源渠道数", kind="int", reads=(("tag_value", "tag"),), value=lambda: _sources()
        ),
    }

    class Meta(Record.Meta):
        verbose_name = "标签值"
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tag", "subject_type", "subject_id"],
                condition=Q(replaced_at=None, removed_at=None),
                name="tag_value_current",
            )
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]

    def __str__(self) -> str:
        return f"{self.tag}：{self.value}"
