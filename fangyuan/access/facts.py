"""What rules may know of people by the traces they leave: looks, exports, failed sign-ins."""

from __future__ import annotations

from fangyuan.core import facts, measured
from fangyuan.org.models import Person


def _counted(label: str, kind: str, per: str, value: str = "") -> measured.Counted:
    return measured.Counted(
        label,
        source="access_log",
        at="at",
        subject="person",
        when={"kind": kind},
        per=per,
        value=value,
    )


facts.extend(
    Person,
    {
        "views_per_hour": _counted("一小时查看量", "REVEAL", "hour"),
        "views_per_day": _counted("当日查看量", "REVEAL", "day"),
        "exports_per_day": _counted("当日导出量", "EXPORT", "day", value="rows"),
        "failed_logins": measured.Run(
            "连续登录失败",
            source="access_log",
            at="at",
            subject="person",
            when={"kind": "LOGIN_FAILED"},
            broken_by={"kind": "LOGIN"},
        ),
    },
)
