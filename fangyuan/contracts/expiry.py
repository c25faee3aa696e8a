"""Quotes past their last day lapse, contracts past theirs expire: by the worker, day by day."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils import timezone

from fangyuan import door
from fangyuan.contracts.models import Contract, Quote
from fangyuan.engine import jobs

AT_ONCE: Final = 200


def run(at: datetime | None = None) -> int:
    """Let lapse what is past its last day; returns how many did."""
    at = at or timezone.now()
    today = timezone.localdate(at)
    quotes = Quote.objects.everything("报价到期").present()
    lapsed = list(quotes.filter(stage__in=("APPROVED", "SENT"), valid_until__lt=today)[:AT_ONCE])
    contracts = Contract.objects.everything("合同到期").present()
    expired = list(contracts.filter(stage="PERFORMING", ends_on__lt=today)[:AT_ONCE])
    if not (lapsed or expired):
        return 0
    with door.acting(by=None, action="expire", at=at, channel="JOB") as deed:
        deed.free |= {"stage", "ended_at"}
        for quote in lapsed:
            deed.move(quote, "EXPIRED")
        for contract in expired:
            deed.move(contract, "EXPIRED", ended_at=at)
    return len(lapsed) + len(expired)


jobs.register("报价与合同到期", run)
