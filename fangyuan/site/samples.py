"""Sample accounts on the sign-in page, shown only where the invented company is loaded."""

from __future__ import annotations

import os
from typing import Any

PASSWORD = "fangyuan"  # noqa: S105 - the invented company's password, public by design

ACCOUNTS = [
    {"login": "zhoumin", "name": "周敏", "title": "KA 代表"},
    {"login": "linyue", "name": "林岳", "title": "KA 经理"},
    {"login": "xuguodong", "name": "许国栋", "title": "销售总监"},
    {"login": "hanlu", "name": "韩璐", "title": "市场"},
    {"login": "songqi", "name": "宋祺", "title": "审计"},
    {"login": "admin", "name": "系统管理员", "title": "管理员"},
]


def shown() -> dict[str, Any]:
    """What the sign-in page shows of the samples."""
    if os.environ.get("FY_DEMO") != "1":
        return {}
    return {"samples": ACCOUNTS, "sample_note": f"密码都是 {PASSWORD}；公司与人物皆为虚构"}
