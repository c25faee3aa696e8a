"""Traces of access: sign-ins, exports, looks at masked values, refusals."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record, Row, TransactionNumber, row_types
from fangyuan.org.models import Person


class AccessLog(Row):
    """One access worth remembering; append-only."""

    class Kind(models.TextChoices):
        LOGIN = "LOGIN", "登录"
        LOGIN_FAILED = "LOGIN_FAILED", "登录失败"
        REVEAL = "REVEAL", "查看明文"
        EXPORT = "EXPORT", "导出"
        READ = "READ", "查阅"
        DOWNLOAD = "DOWNLOAD", "下载"
        PRINT = "PRINT", "打印"
        SEND_OUT = "SEND_OUT", "外发"
        DENIED = "DENIED", "越权被拒"

    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="人员"
    )
    kind = fields.Choice("类别", choices=Kind)
    at = models.DateTimeField("时间", db_default=TransactionNow())
    subject = fields.AnyField("对象", null=True)
    rows = models.IntegerField("行数", null=True, blank=True)
    terminal = fields.Text("终端", blank=True, default="")
    purpose = fields.Text("用途", blank=True, default="")
    xid = models.BigIntegerField("事务号", db_default=TransactionNumber(), editable=False)

    class Meta(Row.Meta):
        verbose_name = "访问留痕"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["person", "kind", "at"], name="access_of_person"),
            models.Index(fields=["xid"], name="access_by_transaction"),
            models.Index(
                fields=["subject_type", "subject_id", "at"],
                name="access_of_subject",
                condition=Q(subject_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        kind = str(self.get_kind_display())
        named = row_types().get(self.purpose.split(" ")[0]) if self.purpose else None
        what = str(named._meta.verbose_name) if named else ""
        return f"{what}{kind}" + (f" {self.rows} 条" if self.rows is not None else "")


class ApiToken(Record):
    """A key with which a program acts for a person; only its digest is kept."""

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="api_tokens", verbose_name="人员"
    )
    name = fields.Text("用途")
    digest = fields.Text("摘要", unique=True, editable=False)
    expires_at = models.DateTimeField("到期", null=True, blank=True)

    unlogged = ("digest",)
    reach = {"people": ("person",)}

    class Meta(Record.Meta):
        verbose_name = "接口令牌"

    def __str__(self) -> str:
        return self.name
