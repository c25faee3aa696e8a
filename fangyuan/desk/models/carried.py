"""What any record may carry: changes, comments, views, import batches, files; tags are imported."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from fangyuan.core import facts, fields
from fangyuan.core.records import Record, Row
from fangyuan.org.models import Person


class Level(models.TextChoices):
    """How far a record or value may be shown."""

    PUBLIC = "PUBLIC", "普通"
    SENSITIVE = "SENSITIVE", "敏感"
    SECRET = "SECRET", "机密"


def kept_at(attachment: Any, name: str) -> str:
    """Where an uploaded file lies: by its hash, so that its own name never reaches the disk."""
    return f"attachments/{attachment.sha256[:2]}/{attachment.sha256}"


class Change(Record):
    """Something changed at a customer, product, colleague or market: five instants of one event."""

    class Kind(models.TextChoices):
        NEED = "NEED", "需求变化"
        PEOPLE = "PEOPLE", "人员变动"
        PROGRESS = "PROGRESS", "业务进展"
        NAME = "NAME", "名称变更"
        OWNERSHIP = "OWNERSHIP", "控股或重组"
        DECIDER = "DECIDER", "关键决策人变更"
        CONTACT = "CONTACT", "关键联系人更换"
        SCOPE = "SCOPE", "经营范围调整"
        FINANCE = "FINANCE", "重大财务或信用"
        RIVAL = "RIVAL", "竞争态势变化"
        RIVAL_NEW = "RIVAL_NEW", "新竞争对手"
        RIVAL_TOUCH = "RIVAL_TOUCH", "与竞争对手接触"
        PRODUCT_UP = "PRODUCT_UP", "产品升级"
        PRODUCT_PERF = "PRODUCT_PERF", "性能提升"
        PRODUCT_USE = "PRODUCT_USE", "应用领域拓展"
        PRODUCT_NEWS = "PRODUCT_NEWS", "产品新情况"
        MEMBER = "MEMBER", "成员变动"
        MARKET = "MARKET", "市场变化"
        TARGET = "TARGET", "目标调整"
        VOICE = "VOICE", "一线反馈"
        SPECIAL = "SPECIAL", "特殊需求确认"
        ACHIEVEMENT = "ACHIEVEMENT", "重要业绩或协作突出"

    MAJOR = ("NAME", "OWNERSHIP", "DECIDER", "CONTACT", "SCOPE", "FINANCE")

    subject = fields.AnyField("对象")
    kind = fields.Choice("类别", choices=Kind)
    occurred_at = models.DateTimeField("发生")
    known_at = models.DateTimeField("知悉", null=True, blank=True)
    known_proof = fields.Note("知悉依据")
    told_admin_at = models.DateTimeField("反馈标签管理员", null=True, blank=True)
    updated_at = models.DateTimeField("相关信息更新", null=True, blank=True)
    assessed_at = models.DateTimeField("评估完成", null=True, blank=True)
    before = fields.Note("变前")
    after = fields.Note("变后")
    reported_by = models.ForeignKey(
        Person, models.PROTECT, related_name="reported_changes", verbose_name="报告人"
    )

    begins = "occurred_at"
    owned_by = "subject"
    reach = {"people": ("reported_by",), "any": ("subject",)}
    facts = {
        "is_major": facts.Derived(
            "重大变动", kind="bool", value=lambda: is_true(Q(kind__in=Change.MAJOR))
        ),
        "clock_at": facts.Derived("起算时刻", kind="at", value=lambda: clock_at()),
        "subject_kind": facts.Derived("对象类型", value=lambda: F("subject_type")),
    }

    class Meta(Record.Meta):
        verbose_name = "变动"
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(known_at=None) | Q(known_at__gte=F("occurred_at")),
                name="change_known_after",
                violation_error_message="知悉时间不能早于发生时间",
            )
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id", "occurred_at"])]

    def __str__(self) -> str:
        return self.get_kind_display()


class Comment(Record):
    """A remark on any record; it may mention colleagues."""

    class Kind(models.TextChoices):
        NOTE = "NOTE", "评论"
        GUIDE = "GUIDE", "指导意见"
        SPEECH = "SPEECH", "发言"
        ADVICE = "ADVICE", "建议"
        SHARE = "SHARE", "经验分享"

    subject = fields.AnyField("对象")
    kind = fields.Choice("类别", choices=Kind, default=Kind.NOTE)
    author = models.ForeignKey(Person, models.PROTECT, related_name="comments", verbose_name="作者")
    text = fields.Text("内容")

    reach = {"people": ("author",), "any": ("subject",)}

    class Meta(Record.Meta):
        verbose_name = "评论"
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]

    def __str__(self) -> str:
        return self.text[:40]


class SavedView(Record):
    """A named filter, sort and set of columns of one list."""

    record = fields.Text("对象类型")
    name = fields.Text("名称")
    owner = models.ForeignKey(Person, models.PROTECT, related_name="views", verbose_name="所有者")
    filter = models.JSONField("条件", default=dict, blank=True)
    columns = models.JSONField("列", default=list, blank=True)
    is_shared = models.BooleanField("共享", default=False)
    used_at = models.DateTimeField("最近使用", null=True, blank=True)

    reach = {"people": ("owner",)}

    class Meta(Record.Meta):
        verbose_name = "视图"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["record", "owner", "name"], condition=Q(removed_at=None), name="view_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Submission(Row):
    """The token of a submission that was taken, so that a copy of it is not; see `once`."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name="提交人")
    once = fields.Text("记号")
    at = models.DateTimeField("时间", db_default=TransactionNow())

    class Meta(Row.Meta):
        verbose_name = "提交记号"
        constraints = [models.UniqueConstraint(fields=["person", "once"], name="submission_once")]


class ImportBatch(Record):
    """One import of a table: its file, progress, result, rows to correct, and its undoing."""

    class Mode(models.TextChoices):
        SKIP = "SKIP", "跳过"
        OVERWRITE = "OVERWRITE", "覆盖"
        ADD = "ADD", "仅新增"

    class Stage(models.TextChoices):
        PREVIEW = "PREVIEW", "预览"
        WAITING = "WAITING", "排队"
        RUNNING = "RUNNING", "导入中"
        DONE = "DONE", "完成"
        REFUSED = "REFUSED", "未导入"
        UNDONE = "UNDONE", "已撤销"

    record = fields.Text("对象类型")
    file_name = fields.Text("文件名")
    # Empty for a file that was imported at the command line and stays where it lies.
    file = models.FileField("文件", upload_to="imports/", blank=True)
    mode = fields.Choice("方式", choices=Mode, default=Mode.OVERWRITE)
    is_history = models.BooleanField("历史导入", default=False)
    is_partial = models.BooleanField("只导入正确的行", default=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name="导入人")
    stage = fields.Choice("状态", choices=Stage, default=Stage.PREVIEW)
    total = models.IntegerField("行数", null=True, blank=True)
    passed = models.IntegerField("成功", null=True, blank=True)
    failed = models.IntegerField("失败", null=True, blank=True)
    mistakes = models.FileField("待改的行", upload_to="imports/", null=True, blank=True)
    message = fields.Note("说明")
    mapping = models.JSONField("列的对应", default=dict, blank=True)
    xid = models.BigIntegerField("写入的事务", null=True, blank=True, editable=False)
    # References to records of a later file: record, id, field, said.
    awaited = models.JSONField("等后来的文件", default=list, blank=True, editable=False)
    started_at = models.DateTimeField("开始", null=True, blank=True)
    undone_at = models.DateTimeField("撤销", null=True, blank=True)

    reach = {"people": ("person",)}
    # Progress is told twice a second; the log keeps what came of it, in `message`.
    unlogged = ("total", "passed", "failed", "awaited")
    stage_field = "stage"
    moves = {
        "PREVIEW": ("WAITING",),
        "WAITING": ("RUNNING",),
        "RUNNING": ("DONE", "REFUSED"),
        "DONE": ("UNDONE",),
    }

    class Meta(Record.Meta):
        verbose_name = "导入批次"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name


class Attachment(Record):
    """A file kept with a record: what it is for, its hash, how far it may be shown."""

    subject = fields.AnyField("对象")
    kind = fields.TermField("用途", domain="attachment")
    name = fields.Text("文件名")
    file = models.FileField("文件", upload_to=kept_at)
    size = models.PositiveIntegerField("大小")
    sha256 = fields.Text("哈希")
    level = fields.Choice("密级", choices=Level, default=Level.PUBLIC)
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)

    reach = {"any": ("subject",)}
    # What was handed in as proof stays what it was.
    governed = dict.fromkeys(("subject", "file", "name", "size", "sha256"), "attach")

    class Meta(Record.Meta):
        verbose_name = "附件"
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="attachment_of")]

    def __str__(self) -> str:
        return self.name


def is_true(condition: Q) -> models.Case:
    """A condition as a yes-or-no value."""
    return models.Case(
        models.When(condition, then=models.Value(True)),
        default=models.Value(False),
        output_field=models.BooleanField(),
    )


def clock_at() -> Coalesce:
    """When the clock of a change starts: known with proof, else occurred (ENGINE, decision 12)."""
    known = models.Case(models.When(~Q(known_proof=""), then=F("known_at")))
    return Coalesce(known, F("occurred_at"))
