"""Requests for approval as records: what was asked, whose word is asked for, what each one said.

A seat is one person's place in the chain; its state says whose turn it is, without counting.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.org.models import Person


class Request(Record):
    """An action that waits until those whom the clauses name agreed to its exact content.

    `chain` is the chain as it was when it was asked: a later version of a rule never changes it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "审批中"
        AGREED = "AGREED", "同意"
        REFUSED = "REFUSED", "驳回"
        RETURNED = "RETURNED", "退回"
        WITHDRAWN = "WITHDRAWN", "撤回"
        VOID = "VOID", "失效"

    action = fields.Text("动作")
    title = fields.Text("事项", blank=True, default="")
    subject = fields.AnyField("对象", null=True)
    payload = models.JSONField("内容", default=dict)
    digest = fields.Text("摘要")
    clause = fields.Text("依据条款", blank=True, default="")
    asked_by = models.ForeignKey(
        Person, models.PROTECT, related_name="requests", verbose_name="申请人"
    )
    asked_at = models.DateTimeField("申请时间")
    state = fields.Choice("状态", choices=State, default=State.WAITING)
    decided_at = models.DateTimeField("结束", null=True, blank=True)
    chain = models.JSONField("审批链", default=list)
    is_repeated = models.BooleanField("同人每步都问", default=False)

    begins = "asked_at"
    owned_by = "asked_by"
    reach = {"people": ("asked_by", "approvals__person")}

    class Meta(Record.Meta):
        verbose_name = "审批申请"
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["action", "subject_type", "subject_id"],
                condition=Q(state="WAITING", removed_at=None),
                name="request_waits_once",
                violation_error_message="同一件事已在审批中，请等结果或先撤回",
            )
        ]

    def __str__(self) -> str:
        return self.title or self.action


class Approval(Record):
    """One seat in a request's chain: who is asked, in which step, since when, until when.

    Sent back to an earlier step, the chain is seated anew in the next round; the old seats stay.
    """

    class State(models.TextChoices):
        LATER = "LATER", "未到"
        ASKED = "ASKED", "待审"
        AGREED = "AGREED", "已同意"
        SPARED = "SPARED", "前面已同意，免审"
        OBJECTED = "OBJECTED", "未同意"
        PASSED_ON = "PASSED_ON", "已转交"
        MOOT = "MOOT", "不用再审"
        COPIED = "COPIED", "抄送"

    class Origin(models.TextChoices):
        RULE = "RULE", "按规则"
        FORWARD = "FORWARD", "转交"
        SIGNER = "SIGNER", "加签"
        ESCALATED = "ESCALATED", "逾期升级"
        COPY = "COPY", "抄送"

    request = models.ForeignKey(
        Request, models.CASCADE, related_name="approvals", verbose_name="申请"
    )
    step = models.PositiveIntegerField("节点")
    party = models.PositiveIntegerField("方", default=0)
    round = models.PositiveIntegerField("轮次", default=1)
    person = models.ForeignKey(
        Person, models.PROTECT, related_name="asked_approvals", verbose_name="审批人"
    )
    state = fields.Choice("状态", choices=State, default=State.LATER)
    origin = fields.Choice("来由", choices=Origin, default=Origin.RULE)
    clause = fields.Text("依据条款", blank=True, default="")
    asked_at = models.DateTimeField("轮到", null=True, blank=True)
    due_at = models.DateTimeField("应审完", null=True, blank=True)
    answered_at = models.DateTimeField("审完", null=True, blank=True)

    begins = "asked_at"
    owned_by = "person"
    reach = {"people": ("person", "request__asked_by")}

    class Meta(Record.Meta):
        verbose_name = "审批席位"
        ordering = ["request", "round", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "round", "step", "party", "person"], name="approval_seat"
            )
        ]
        indexes = [models.Index(fields=["person", "state"], name="approval_of_person")]

    def __str__(self) -> str:
        return str(self.request)


FINAL: Final = ("AGREE", "REFUSE", "BACK")


class Decision(Record):
    """What one person did about a request: one row for each act, the request's history."""

    class Verdict(models.TextChoices):
        AGREE = "AGREE", "同意"
        REFUSE = "REFUSE", "驳回"
        BACK = "BACK", "退回"
        FORWARD = "FORWARD", "转交"
        SIGNER = "SIGNER", "加签"
        COMMENT = "COMMENT", "评论"
        URGE = "URGE", "催办"
        WITHDRAW = "WITHDRAW", "撤回"
        COPY = "COPY", "抄送"
        ESCALATE = "ESCALATE", "逾期升级"
        VOID = "VOID", "内容已改，申请失效"

    request = models.ForeignKey(
        Request, models.PROTECT, related_name="decisions", verbose_name="申请"
    )
    person = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        verbose_name="办理人",
    )
    on_behalf_of = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="代谁"
    )
    to = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="给谁"
    )
    step = models.PositiveIntegerField("节点")
    round = models.PositiveIntegerField("轮次", default=1)
    back_to = models.PositiveIntegerField("退到节点", null=True, blank=True)
    verdict = fields.Choice("意见", choices=Verdict)
    at = models.DateTimeField("时间")
    comment = fields.Note("意见说明")

    begins = "at"
    reach = {"people": ("person", "request__asked_by")}

    class Meta(Record.Meta):
        verbose_name = "审批意见"
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "round", "step", "person"],
                condition=Q(verdict__in=FINAL),
                name="decision_once",
            ),
            models.CheckConstraint(
                condition=~Q(person=None) | Q(verdict__in=("ESCALATE", "VOID")),
                name="decision_of_somebody",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_verdict_display())

    @property
    def who(self) -> str:
        """Who acted, in words: 小李, 小赵 代 王总, or 系统."""
        name: Any = self.person.name if self.person else "系统"
        return f"{name} 代 {self.on_behalf_of.name}" if self.on_behalf_of else str(name)
