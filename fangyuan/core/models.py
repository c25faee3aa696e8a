"""Rows of the bottom room: the event log, kept values, vocabularies, calendar days, jobs done."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from fangyuan.core import fields
from fangyuan.core.records import Record, Row


class Channel(models.TextChoices):
    """By which way a write came in."""

    PAGE = "PAGE", "页面"
    API = "API", "接口"
    IMPORT = "IMPORT", "导入"
    JOB = "JOB", "任务"


class Event(Row):
    """One write of one record, told by the database: audit trail, timeline and change feed."""

    class Op(models.TextChoices):
        CREATE = "C", "新建"
        UPDATE = "U", "修改"
        DELETE = "D", "删除"

    at = models.DateTimeField("时间", db_default=TransactionNow())
    actor = models.BigIntegerField("操作人")
    action = fields.Text("动作")
    reason = fields.Text("理由", blank=True, default="")
    channel = fields.Choice("来路", choices=Channel)
    op = fields.Choice("操作", choices=Op)
    record = fields.Text("对象类型")
    record_id = models.BigIntegerField("对象编号")
    diff = models.JSONField("前后值")
    xid = models.BigIntegerField("事务号")

    class Meta(Row.Meta):
        verbose_name = "事件日志"
        indexes = [
            models.Index(fields=["record", "record_id", "at"]),
            models.Index(fields=["xid"]),
            BrinIndex(fields=["at"]),
        ]


class Tracked(Record):
    """A past or present value of a tracked fact of some record, for a span of time."""

    subject = fields.AnyField("对象")
    fact = fields.Text("事实")
    value = fields.Text("值", null=True)
    starts_at = models.DateTimeField("起")
    ends_at = models.DateTimeField("止", null=True, blank=True)

    begins = "starts_at"

    class Meta(Record.Meta):
        verbose_name = "历史值"
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "fact", "starts_at"], name="tracked_start"
            )
        ]


class Term(Record):
    """One entry of an extensible vocabulary: sources, industries, regions, positions, reasons."""

    domain = fields.Text("字典")
    code = fields.Text("代码")
    label = fields.Text("名称")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        to_field="key",
        null=True,
        blank=True,
        related_name="children",
        verbose_name="上级",
    )
    rank = models.IntegerField("次序", default=0)
    maps = models.JSONField("各制度对照", default=dict, blank=True)
    definition = fields.Note("定义")
    is_open = models.BooleanField("可扩展", default=True)
    active = models.BooleanField("在用", default=True)

    class Meta(Record.Meta):
        verbose_name = "字典项"
        ordering = ["domain", "rank", "code"]
        constraints = [models.UniqueConstraint(fields=["domain", "code"], name="term_code")]

    def __str__(self) -> str:
        return self.label

    def index(self) -> None:
        self.key = f"{self.domain}:{self.code}"


class CalendarDay(Record):
    """One day of the company calendar that differs from Monday-to-Friday, with its provenance."""

    on = models.DateField("日期")
    is_working = models.BooleanField("上班")
    name = fields.Text("名目", blank=True, default="")
    calendar_version = fields.Text("日历版本", default="company")
    is_published = models.BooleanField("已公布", default=True)
    provenance = fields.Text("出处", blank=True, default="")

    class Meta(Record.Meta):
        verbose_name = "日历日"
        ordering = ["on"]
        constraints = [
            models.UniqueConstraint(fields=["on", "calendar_version"], name="calendar_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class Workday(Row):
    """One day of the calendar as it stands, numbered so that `3wd` is one look-up."""

    on = models.DateField("日期", primary_key=True)
    is_working = models.BooleanField("上班")
    nth = models.IntegerField("第几个工作日")
    unknown = models.IntegerField("至此未公布的天数")

    class Meta(Row.Meta):
        verbose_name = "工作日"
        indexes = [
            models.Index(fields=["nth"], name="workday_nth", condition=models.Q(is_working=True))
        ]


class Operation(Record):
    """One run of a system job: sweep, backup, drill, maintenance."""

    class Kind(models.TextChoices):
        FULL = "FULL", "全量备份"
        INCREMENTAL = "INCREMENTAL", "增量备份"
        DRILL = "DRILL", "恢复演练"
        READBACK = "READBACK", "读回验证"
        MAINTENANCE = "MAINTENANCE", "维护"
        UPGRADE = "UPGRADE", "升级"
        FAILURE = "FAILURE", "故障"
        SWEEP = "SWEEP", "规则扫描"
        RECOUNT = "RECOUNT", "台账核对"

    kind = fields.Choice("类别", choices=Kind)
    started_at = models.DateTimeField("开始")
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    is_ok = models.BooleanField("成功", null=True)
    note = fields.Note("说明")

    class Meta(Record.Meta):
        verbose_name = "运维作业"
