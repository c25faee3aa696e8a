"""Who took part in an activity or a meeting, and how they kept it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fangyuan.activities.models.activity import Activity
from fangyuan.activities.models.meeting import Meeting
from fangyuan.core import fields
from fangyuan.core.records import Record
from fangyuan.customers.models import Contact
from fangyuan.org.models import Person


class Participant(Record):
    """Someone of ours or theirs who took part in an activity, or was asked to a meeting."""

    class State(models.TextChoices):
        ON_TIME = "ON_TIME", "按时"
        LATE = "LATE", "迟到"
        LEAVE = "LEAVE", "请假"
        ABSENT = "ABSENT", "缺席"
        LEFT = "LEFT", "中途退场"

    activity = models.ForeignKey(
        Activity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="participants",
        verbose_name="活动",
    )
    meeting = models.ForeignKey(
        Meeting,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="participants",
        verbose_name="会议",
    )
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="人员"
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="联系人"
    )
    state = fields.Choice("到会", choices=State, null=True)
    signed_at = models.DateTimeField("签到", null=True, blank=True)
    reason = fields.Text("缺席原因", blank=True, default="")
    score = models.DecimalField("得分", max_digits=5, decimal_places=2, null=True, blank=True)

    reach = {
        "people": ("person", "activity__person", "meeting__host"),
        "via": ("activity__customer",),
    }
    judges = ("activity",)
    governed = {"state": "sign_in", "signed_at": "sign_in"}

    class Meta(Record.Meta):
        verbose_name = "参与人"
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, contact__isnull=False)
                | Q(contact=None, person__isnull=False),
                name="participant_one_side",
                violation_error_message="参与人是同事或客户联系人，二者选一",
            ),
            models.CheckConstraint(
                condition=Q(activity=None, meeting__isnull=False)
                | Q(meeting=None, activity__isnull=False),
                name="participant_one_occasion",
                violation_error_message="参与人属于一次活动或一次会议，二者选一",
            ),
            models.UniqueConstraint(
                fields=["meeting", "person"],
                condition=Q(removed_at=None),
                name="participant_once",
                violation_error_message="这位同事已在参会名单里",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person or self.contact)
