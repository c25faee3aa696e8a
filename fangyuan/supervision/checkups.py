"""Living with a flaw of the rulebook: put on record with a reason and until a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone

from fangyuan import door
from fangyuan.engine.checkup import Flaw
from fangyuan.supervision.models import Acknowledgement

LONGEST: Final = timedelta(days=366)


def acknowledge(
    flaw: Flaw, *, reason: str, ends_on: date | None, by: Any, channel: str = "PAGE"
) -> Acknowledgement:
    """Put on record that a flaw stays until a day; a later one takes the place of an earlier.

    Raises Refused without a reason or a day within a year, Denied for whoever may not.
    """
    today, unmet = timezone.localdate(), []
    if not reason.strip():
        unmet.append(door.Unmet("备案要写明理由", "reason", record="acknowledgement"))
    if ends_on is None or not today < ends_on <= today + LONGEST:
        said = "备案到的日期要在明天到一年之内，到期后问题会重新列出"
        unmet.append(door.Unmet(said, "ends_on", record="acknowledgement"))
    if unmet:
        raise door.Refused(unmet)
    with door.acting(by=by, action="acknowledge", channel=channel) as deed:
        for earlier in standing(today).filter(flaw=flaw.key):
            deed.remove(earlier)
        made: Acknowledgement = deed.create(
            Acknowledgement,
            {
                "policy": flaw.policy,
                "clause": flaw.clause,
                "flaw": flaw.key,
                "said": f"{flaw.kind.label}：{flaw.why}",
                "reason": reason.strip(),
                "ends_on": ends_on,
            },
        )
        return made


def standing(today: date) -> Any:
    """The acknowledgements that hold on a day."""
    rows = Acknowledgement.objects.everything("备案的问题人人按备案看").present()
    return rows.filter(ends_on__gte=today)


def by_flaw(today: date) -> dict[str, Acknowledgement]:
    """The same by the key of the flaw."""
    return {one.flaw: one for one in standing(today)}
