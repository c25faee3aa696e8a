"""`python -m tests.oracle.trials SEEDS SIZE`: compare batches of random histories with the engine.

It works in the configured database, which must hold nothing else, and writes a line of JSON for
each batch. A seed is tried in one full sweep; with `+` behind it, in steps that each change half
of the batch. With the name of a history behind it (`17 400 w23-`) that one is tried alone and
made as small as it can be while the two still differ.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

import django
from django.apps import apps
from django.db import connection, transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")
if __name__ == "__main__":
    django.setup()

from fangyuan.engine import sweep  # noqa: E402 - the models need the settings
from fangyuan.engine.ledger import Written  # noqa: E402
from fangyuan.engine.models import Progress  # noqa: E402
from tests.oracle import agreement, loading, many, smaller  # noqa: E402
from tests.oracle.calendar_oracle import Calendar, read_public  # noqa: E402
from tests.oracle.choices import Setting  # noqa: E402

HOLIDAYS = Path(__file__).parents[2] / "fangyuan/core/data/holidays.csv"


def full(seed: int, size: int, calendar: Calendar) -> tuple[int, list[str]]:
    """One full sweep over a batch, in a transaction that is rolled back; verdicts, differences."""
    told = agreement.batch(seed, size, calendar)
    as_of = told.setting.as_of[1 + seed % 2]
    with transaction.atomic():
        loading.hush()
        told.lay()
        # What the tallies were before the ledger was kept is inferred at a first sweep, at the
        # price of a third of it; no duty hangs on that.
        Progress.objects.everything("一批历史").create(rule=None, kept_since=as_of)
        found = told.judged(as_of, full=True)
        transaction.set_rollback(True)
    sweep_out()
    return found


def by_steps(seed: int, size: int, calendar: Calendar) -> tuple[int, list[str]]:
    """A batch that becomes what it is in steps, each swept by what changed; cleared at the end."""
    told = agreement.batch(seed, size, calendar, with_past=True)
    final, setting = told.worlds, told.setting
    told.worlds, told.setting = told.earlier, told.before
    first, second, third = setting.as_of
    half = size // 2
    steps = (
        (first, told.earlier, told.before),
        (first, [*final[:half], *told.earlier[half:]], told.before),
        (second, final, setting),
        # Soon after a version took effect, when little has fallen due since.
        *((at, final, setting) for at in _effects(setting, second, third)),
        (third, final, setting),
    )
    verdicts, wrong = 0, []
    try:
        for number, (as_of, worlds, ruled) in enumerate(steps):
            with transaction.atomic():
                told.become(worlds, ruled) if number else told.lay()
                written = transaction_number()
            wait_for(written)
            count, differing = told.judged(as_of)
            verdicts += count
            wrong += differing
            wrong += _again(as_of, is_full=number == len(steps) - 1)
    finally:
        clear()
    return verdicts, wrong


def _effects(setting: Setting, since: datetime, until: datetime) -> list[datetime]:
    effects = {rule.starts_at for rule in setting.rules if rule.version > "1"}
    return [at for at in sorted(effects) if since < at < until][:2]


def _again(as_of: datetime, *, is_full: bool) -> list[str]:
    """A sweep with nothing changed writes nothing, nor does one from nothing after increments."""
    outcome = sweep.sweep(as_of, full=is_full)
    return [] if outcome.written == Written() else [f"another sweep wrote {outcome.written}"]


def transaction_number() -> int:
    """The number of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def wait_for(number: int) -> None:
    """Until no older transaction of the whole cluster runs: only then a sweep reads this one."""
    until = time.monotonic() + 120
    while sweep.horizon() <= number and time.monotonic() < until:
        time.sleep(0.02)


def sweep_out() -> None:
    """Give up the room of rows that were rolled back: they mislead whoever plans the next batch."""
    tables = [model._meta.db_table for model, _ in loading.WRITERS]
    ledger = [model._meta.db_table for model in apps.get_app_config("engine").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM {', '.join({*tables, *ledger, 'core_workday'})}")


def clear() -> None:
    """Empty every table, in a database that is there for it."""
    name = str(connection.settings_dict["NAME"])
    if not name.startswith(("test_", "bench_")):
        raise SystemExit(f"{name} may hold what somebody needs")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(relname), ',') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname NOT LIKE 'django_%%'"
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]}")


def main() -> int:
    """Try what was asked for."""
    calendar = read_public(HOLIDAYS)
    seeds, size, *alone = sys.argv[1:]
    if alone:
        sys.stdout.write(smaller.smallest(int(seeds.strip(many.STEPS)), alone[0], calendar))
        return 0
    clear()
    gc.disable()  # hundreds of thousands of objects stay for a batch; looking through them is vain
    for seed in seeds.split(","):
        begun = time.perf_counter()
        number = many.batch_size(seed, int(size))
        tried = by_steps if seed.endswith(many.STEPS) else full
        verdicts, wrong = tried(int(seed.strip(many.STEPS)), number, calendar)
        said = {
            "seed": seed,
            "histories": number,
            "verdicts": verdicts,
            "seconds": round(time.perf_counter() - begun, 2),
            "wrong": [f"seed {seed}: {one}" for one in wrong],
        }
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
