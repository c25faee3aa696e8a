"""The weekly word on an opportunity: when, how much, how likely, in which category, what next.

What is said changes the opportunity; that it was said, also without a change, is a filled-in form,
which the clauses count (PS-3.3a, TAG-4.1.2a, PS-3.1b).
"""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.desk.models import Change
from fangyuan.forms import seed
from fangyuan.forms.models import Form, Response
from fangyuan.opportunities import opportunity_actions

SAID: Final = ("amount", "expected_on", "win_rate", "forecast", "next_step", "next_at")


def sheet() -> Form:
    """The form in force by which opportunities are updated; raises Denied where there is none."""
    rows = Form.objects.everything("商机周更新").present()
    found: Form | None = (
        rows.filter(kind=Form.Kind.WEEKLY, published_at__isnull=False, retired_at=None)
        .order_by("-version")
        .first()
    )
    if found is None:
        raise door.Denied("还没有启用的商机周更新表，请销售运营发布")
    return found


@door.verb("opportunity", label="更新预测", asks=SAID)
def update_forecast(
    deed: door.Deed, opportunity: Any, *, tags: bool = False, **said: Any
) -> Response:
    """Say or confirm the forecast; `tags` says that source, stage and rivals were looked at too."""
    held = opportunity_actions.still_open(deed, opportunity)
    told = {n: v for n, v in said.items() if n in SAID and v is not None}
    lacking = [n for n in seed.FORECAST if told.get(n, getattr(held, n)) is None]
    if lacking:
        raise door.Refused(
            [door.Unmet(f"填{seed.FORECAST[n]}", n, record="opportunity") for n in lacking]
        )
    changed = {n: v for n, v in told.items() if getattr(held, n) != v}
    deed.change(held, changed)  # without a change it asks whether one may
    form = sheet()
    seen = [*seed.FORECAST, *(seed.CHANCE_TAGS if tags else ())]
    response: Response = deed.create(
        Response,
        {
            "form": form,
            "subject": held,
            "person": deed.by,
            "submitted_at": deed.at,
            "period": f"{timezone.localdate(deed.at):%G-W%V}",
            "answers": {n: str(told.get(n, getattr(held, n))) for n in seed.FORECAST},
            "covers": [code for code in seen if code in form.covers],
            "verdict": "CHANGED" if changed else "SAME",
        },
    )
    return response


@door.verb(
    "opportunity",
    label="登记推进事实",
    asks=("occurred_at", "after"),
    like={"occurred_at": "change.occurred_at", "after": "change.after"},
)
def note_progress(
    deed: door.Deed, opportunity: Any, *, after: str = "", occurred_at: Any = None
) -> Change:
    """Note a fact that carries the business on; stage and forecast are to follow (TAG-4.1.2b)."""
    held = opportunity_actions.still_open(deed, opportunity)
    if not after.strip():
        raise door.Refused([door.Unmet("写明推进了什么", "after", record="change")])
    if occurred_at and occurred_at > deed.at:
        raise door.Refused([door.Unmet("时间还没到", "occurred_at", record="change")])
    deed.change(held, {})  # asks whether one may
    change: Change = deed.create(
        Change,
        {
            "subject": held,
            "kind": "PROGRESS",
            "occurred_at": occurred_at or deed.at,
            "after": after,
            "reported_by": deed.by,
        },
    )
    return change
