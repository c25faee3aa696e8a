"""What else the marketing of the invented company keeps: intelligence, agreements, files, tags."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.customers.models import Customer
from fangyuan.desk.models import Tag, TagValue
from fangyuan.library.models import Agreement, Document
from fangyuan.marketing.models import Campaign, Intel
from fangyuan.org.models import Person
from fangyuan.site.demo import market_texts as texts

SEED: Final = 20260907


class Told:
    """The people who do the marketing, and the moment from which they tell of it."""

    def __init__(self, now: datetime) -> None:
        self.now = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
        self.luck = Random(SEED)
        self.people = {p.login: p for p in Person.objects.everything("示例").exclude(login=None)}
        self.lead = self.people["hanlu"]
        crew = sorted(p for p in self.people if p.startswith("marketing"))
        self.analysts = [self.people[login] for login in crew] or [self.lead]

    def ago(self, days: int, hour: int = 10) -> datetime:
        """The day so many days ago, at this hour."""
        return self.now.replace(hour=hour) - timedelta(days=days)


def write(crew: Told, deed: door.Deed, campaigns: list[Campaign]) -> None:
    """Write all of it."""
    _intel(crew, deed, campaigns)
    _papers(crew, deed)
    _tags(crew, deed)


def _intel(crew: Told, deed: door.Deed, campaigns: list[Campaign]) -> None:
    by_name = {one.name: one for one in campaigns}
    rivals = {t.label: t for t in Term.objects.everything("示例").filter(domain="competitor")}
    for place, told in enumerate(texts.INTEL):
        kind, source, rival, trust, ago, title, text, campaign = told
        at = crew.ago(ago, 9 + place % 8)
        entered = at + timedelta(hours=crew.luck.choice([1, 3, 6, 20, 30]))
        values: dict[str, Any] = {
            "kind": kind, "source_id": f"intel_source:{source}", "trust": trust,
            "title": title, "text": text, "occurred_at": at,
            "rival": rivals.get(rival) or (rivals["其他对手"] if kind == "RIVAL" else None),
            "reporter": crew.analysts[place % len(crew.analysts)],
            "valid_until": (at + timedelta(days=180)).date(),
            "campaign": by_name.get(campaign),
            "recorded_at": entered, "imported_at": crew.now,
        }  # fmt: skip
        if kind in ("VOICE", "MARKET"):
            values["reporter"] = crew.people["zhoumin"]
        if ago > 3:
            values["sorted_at"] = entered + timedelta(hours=20)
        if ago > 6:
            values["shared_at"] = entered + timedelta(hours=40)
            values["share_by"] = ["MEETING", "MAIL"]
        row = Intel(**values)
        row.save()


def _papers(crew: Told, deed: door.Deed) -> None:
    today = crew.now.date()
    for kind, party, stage, fee, ends, terms, scope in texts.AGREEMENTS:
        values: dict[str, Any] = {
            "kind": kind,
            "party": party,
            "stage": stage,
            "terms": terms,
            "scope": scope,
        }
        values |= {
            "starts_on": today - timedelta(days=300),
            "ends_on": today + timedelta(days=ends),
        }
        values |= {"fee": fee, "signed_at": crew.ago(300), "qualified_at": crew.ago(310)}
        deed.create(Agreement, values)
    customers = list(Customer.objects.everything("示例").present().order_by("pk")[:6])
    for place, (kind, title, filed) in enumerate(texts.DOCUMENTS):
        at = crew.ago(4 + 6 * place)
        values = {
            "kind": kind,
            "title": title,
            "handler": crew.people["zhoumin"],
        }
        values |= {"produced_at": at, "recorded_at": at, "imported_at": crew.now}
        if filed:
            values |= {"filed_at": at + timedelta(days=filed), "place": "KA 档案柜 B3"}
        row = Document(**values, keep_until=date(crew.now.year + 5, 12, 31))
        row.subject = customers[place % len(customers)]
        row.save()


def _tags(crew: Told, deed: door.Deed) -> None:
    since = crew.ago(400)
    for name, group, bound, kind, refresh, definition in texts.TAGS:
        values: dict[str, Any] = {
            "object": "CUSTOMER",
            "name": name,
            "bound_to": bound,
            "value_type": kind,
        }
        values |= {"group_id": f"tag_group:{group}", "stage": "ACTIVE", "activated_at": since}
        values |= {"refresh": refresh, "definition": definition, "usage": "建档或复核时填写"}
        deed.create(Tag, values)
    tag = Tag._base_manager.get(object="CUSTOMER", name="采购方式")
    customers = list(Customer.objects.everything("示例").present().order_by("pk")[:40])
    states = ("PASSED", "PASSED", "PASSED", "WAITING", "RETURNED")
    for place, customer in enumerate(customers):
        at = crew.ago(2 + place % 70)
        values = {
            "tag": tag,
            "value": ("公开招标", "询价", "单一来源")[place % 3],
        }
        values |= {"source_id": "info_source:TALK_RECORD", "decided_at": at}
        values |= {"verified": ("VERIFIED", "NEW", "DOUBTFUL")[place % 7 % 3]}
        values |= {"checked": states[place % 5], "recorded_at": at, "imported_at": crew.now}
        if values["checked"] != "WAITING":
            values |= {
                "checked_at": at + timedelta(days=1),
                "notified_at": at + timedelta(days=1),
            }
        if values["verified"] == "DOUBTFUL":
            values["doubted_at"] = at + timedelta(days=1)
        row = TagValue(**values)
        row.subject = customer
        row.save()
