"""Looking at a value that is shown masked: so often an hour, and never without a trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from fangyuan.access.models import AccessLog

PER_HOUR = 60
ENOUGH = "一小时内查看完整号码的次数用完了，过一会儿再看"


def look(actor: Any, record: Any, name: str, *, terminal: str, most: int = PER_HOUR) -> bool:
    """Leave the trace of a look at `name`; False, and no trace, after too many within an hour."""
    recent = AccessLog.objects.everything("查看明文限次").filter(
        person=actor, kind=AccessLog.Kind.REVEAL, at__gt=timezone.now() - timedelta(hours=1)
    )
    if recent.count() >= most:
        return False
    trace = AccessLog(person=actor, kind=AccessLog.Kind.REVEAL, purpose=name, terminal=terminal)
    trace.subject = record
    trace.save()
    return True
