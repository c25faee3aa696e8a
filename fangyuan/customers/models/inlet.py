"""Inlets: addresses at which forms and campaigns outside hand in leads, signed and counted."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from fangyuan.core import fields
from fangyuan.core.records import Record, Row
from fangyuan.customers.models.lead import Lead
from fangyuan.marketing.models import Campaign


def fresh_nonce() -> str:
    """What a new secret is made from."""
    return secrets.token_hex(16)


class Inlet(Record):
    """One sender of leads: what its leads are said to come from, and how many a minute it may send.

    Its secret follows from `nonce` and the installation's own; nothing kept gives it away.
    """

    name = fields.Text("名称")
    code = fields.Text("代码")
    source = fields.TermField("来源", domain="source")
    platform = fields.TermField("来源平台", domain="platform", null=True)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="inlets", verbose_name="活动"
    )
    per_minute = models.PositiveIntegerField("每分钟上限", default=60)
    is_active = models.BooleanField("在用", default=True)
    nonce = fields.Text("密钥编号", default=fresh_nonce, editable=False)

    governed = {"nonce": "renew_secret"}

    class Meta(Record.Meta):
        verbose_name = "线索入口"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(removed_at=None),
                name="inlet_code",
                violation_error_message="已有这个代码的入口",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z][a-z0-9-]{1,39}$"),
                name="inlet_code_in_addresses",
                violation_error_message="代码用小写字母、数字和连字符，字母开头，2 到 40 个字",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The key with which the sender signs."""
        told = f"inlet:{self.nonce}".encode()
        return hmac.new(str(settings.SECRET_KEY).encode(), told, hashlib.sha256).hexdigest()


class Arrival(Row):
    """One delivery of an inlet: the same one again is answered alike, without a second lead."""

    inlet = models.ForeignKey(Inlet, models.CASCADE, related_name="arrivals", verbose_name="入口")
    delivery = fields.Text("投递编号")
    digest = fields.Text("内容摘要")
    at = models.DateTimeField("到达")
    lead = models.ForeignKey(
        Lead, models.CASCADE, null=True, related_name="arrivals", verbose_name="线索"
    )

    class Meta(Row.Meta):
        verbose_name = "线索到达"
        constraints = [
            models.UniqueConstraint(fields=["inlet", "delivery"], name="arrival_once"),
        ]
        indexes = [models.Index(fields=["inlet", "at"], name="arrival_of_inlet")]
