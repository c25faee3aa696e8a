"""`demo`: fill an empty installation with the invented company, and sweep it once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from fangyuan.customers.models import Customer
from fangyuan.engine import packs, sweep
from fangyuan.site import samples
from fangyuan.site.demo import deals, goals, leads, market, meetings, offers, oversight
from fangyuan.site.demo.build import Builder

POOLS = packs.FOLDER / "templates" / "pools.yaml"


class Command(BaseCommand):
    """Load the sample company where there are no customers yet."""

    help = "载入示例公司（只在没有客户时）"

    def handle(self, *args: Any, **options: Any) -> None:
        if Customer.objects.everything("是否空库").exists():
            self.stdout.write("已有客户，不载入示例公司")
            return
        packs.install([POOLS])  # before the company is founded, so that it adopts them
        now = timezone.now()
        counts = Builder(now).write(samples.PASSWORD)
        counts["opportunity"] = deals.fill(now)
        counts |= offers.fill(now)
        counts["target"] = goals.fill(now)
        counts["lead"] = leads.Leads(now).write()
        counts["campaign"] = market.Market(now).write()
        for name, number in meetings.Meetings(now).write().items():
            counts[name] = counts.get(name, 0) + number
        said = "、".join(f"{name} {number}" for name, number in counts.items())
        self.stdout.write(f"示例公司：{said}")
        outcome = sweep.sweep()
        oversight.fill(outcome.as_of)
        sweep.sweep()
        self.stdout.write(f"扫描 {outcome.rules} 条规则")
