"""Channels, what is sent by them, every try, and what each person wants to be told how."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from fangyuan.core import fields
from fangyuan.core.records import Record, Row
from fangyuan.org.models import Message, Person, Team

Topic = Message.Topic
# What leaves the house; the system's own troubles stay inside, a digest follows what it holds.
TOPICS = [(code, label) for code, label in Topic.choices if code not in ("DIGEST", "SYSTEM")]


class Channel(Record):
    """A way out of the house, set up by an administrator; what is secret lies in `Sealed`."""

    class Kind(models.TextChoices):
        MAIL = "MAIL", "邮件"
        WECOM = "WECOM", "企业微信"
        DINGTALK = "DINGTALK", "钉钉"
        LARK = "LARK", "飞书"
        WEBHOOK = "WEBHOOK", "外部系统"

    class Security(models.TextChoices):
        TLS = "TLS", "加密连接"
        STARTTLS = "STARTTLS", "先连接再加密"
        NONE = "NONE", "不加密"

    name = fields.Text("名称", unique=True)
    kind = fields.Choice("方式", choices=Kind)
    is_on = models.BooleanField("启用", default=False)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="收件团队"
    )
    topics = fields.ChoiceSet("事项", vocabulary=TOPICS)
    is_full = models.BooleanField("写出标题和内容", default=True)
    address = fields.Text("地址", blank=True, default="")
    port = models.PositiveIntegerField("端口", null=True, blank=True)
    security = fields.Choice("加密", choices=Security, default=Security.TLS)
    login = fields.Text("登录名", blank=True, default="")
    sender = fields.Email("发件地址")

    governed = {"is_on": "switch_channel"}

    class Meta(Record.Meta):
        verbose_name = "消息渠道"
        ordering = ["kind", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(port=None) | Q(port__range=(1, 65535)),
                name="channel_port",
                violation_error_message="端口应在 1 至 65535 之间",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        """Whether it reaches one person alone, who may then say what they want by it."""
        return self.kind != self.Kind.WEBHOOK


class Sealed(models.Model):
    """The secrets of a channel, encrypted: no record, so in no log, list, export or API."""

    channel = models.OneToOneField(Channel, models.CASCADE, related_name="sealed")
    content = models.BinaryField()
    sealed_at = models.DateTimeField(db_default=Now())


class Dispatch(Row):
    """One message on its way by one channel; what came of each try is an `Attempt`."""

    class Mode(models.TextChoices):
        NOW = "NOW", "即时"
        DAILY = "DAILY", "每日汇总"
        WEEKLY = "WEEKLY", "每周汇总"
        OFF = "OFF", "不发"

    class State(models.TextChoices):
        QUEUED = "QUEUED", "待发"
        SENT = "SENT", "已发出"
        DELIVERED = "DELIVERED", "已送达"
        GATHERED = "GATHERED", "已并入汇总"
        FAILED = "FAILED", "没送到"
        DROPPED = "DROPPED", "不用发"

    message = models.ForeignKey(
        Message, models.PROTECT, related_name="dispatches", verbose_name="消息"
    )
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name="收件人")
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="dispatches", verbose_name="渠道"
    )
    mode = fields.Choice("方式", choices=Mode, default=Mode.NOW)
    state = fields.Choice("状态", choices=State, default=State.QUEUED)
    token = models.UUIDField("投递号", default=uuid.uuid4, unique=True, editable=False)
    queued_at = models.DateTimeField("应发")
    next_at = models.DateTimeField("下次发送", null=True)
    claimed_at = models.DateTimeField("最近一次尝试", null=True)
    attempts = models.PositiveIntegerField("次数", default=0)
    sent_at = models.DateTimeField("发出", null=True)
    delivered_at = models.DateTimeField("送达", null=True)
    opened_at = models.DateTimeField("从这里点开", null=True)
    answer = fields.Note("对方答复")
    gathered_in = models.ForeignKey(
        Message, models.PROTECT, null=True, related_name="gathered", verbose_name="并入"
    )

    reach = {"people": ("person",)}

    class Meta(Row.Meta):
        verbose_name = "投递"
        ordering = ["-queued_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["message", "channel"], name="dispatch_once"),
        ]
        indexes = [
            models.Index(
                fields=["channel", "next_at"], name="dispatch_waiting", condition=Q(state="QUEUED")
            ),
            models.Index(fields=["channel", "claimed_at"], name="dispatch_claimed"),
            models.Index(fields=["person", "-queued_at"], name="dispatch_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}：{self.message}"


class Attempt(Row):
    """One try to send, and the answer to it; append-only, the evidence of delivery."""

    class Outcome(models.TextChoices):
        SENT = "SENT", "对方已接收"
        DELIVERED = "DELIVERED", "已送达"
        LATER = "LATER", "稍后再试"
        REFUSED = "REFUSED", "被拒绝"

    dispatch = models.ForeignKey(
        Dispatch, models.PROTECT, related_name="tries", verbose_name="投递"
    )
    at = models.DateTimeField("时间")
    outcome = fields.Choice("结果", choices=Outcome)
    answer = fields.Note("对方答复")

    reach = {"people": ("dispatch__person",)}

    class Meta(Row.Meta):
        verbose_name = "投递尝试"
        ordering = ["at", "id"]


class Preference(Record):
    """What a person wants to be told, how and when; without a person, the company's default.

    `modes` is topic → kind of channel → mode. What is not said follows the company, and what the
    company does not say is sent at once. `locked` and `urgent` are the company's alone.
    """

    person = models.OneToOneField(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="人员"
    )
    modes = models.JSONField("事项与渠道", default=dict, blank=True)
    locked = fields.ChoiceSet("必发事项", vocabulary=TOPICS)
    urgent = fields.ChoiceSet("免打扰时也发", vocabulary=TOPICS)
    quiet_from = models.TimeField("免打扰从", null=True, blank=True)
    quiet_until = models.TimeField("免打扰到", null=True, blank=True)
    rests = models.BooleanField("休息日不打扰", default=False)

    reach = {"people": ("person",)}
    governed = {"person": "set_preference"}

    class Meta(Record.Meta):
        verbose_name = "提醒设置"
        constraints = [
            models.UniqueConstraint(
                fields=["person"], name="preference_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preference_quiet_span",
                violation_error_message="免打扰的起止要么都填，要么都不填",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}的提醒设置" if self.person_id else "公司默认的提醒设置"

    def clean(self) -> None:
        """Refuse a mode for a topic or a channel that does not exist."""
        kinds, modes = set(Channel.Kind.values), set(Dispatch.Mode.values)
        topics = {code for code, _ in TOPICS}
        for topic, chosen in _pairs(self.modes):
            for kind, mode in _pairs(chosen):
                if topic not in topics or kind not in kinds or mode not in modes:
                    raise ValidationError({"modes": "提醒设置里有认不出的事项、渠道或方式"})


def _pairs(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValidationError({"modes": "提醒设置应按事项和渠道填写"})
    return value.items()
