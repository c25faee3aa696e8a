"""`python -m tests.oracle.killing KILLS [INSTANTS]`: a worker killed at random, and what it leaves.

A batch of histories changes step by step; after each step a process of its own does the worker's
round, sweeping and reminding, at an instant. It is killed with SIGKILL at random moments and begun
anew, until as many kills are done as asked for. Writes as JSON what then stands in the database,
and the instants, so that another run can do the same rounds undisturbed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import django
from django.db import connection, transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")
if __name__ == "__main__":
    django.setup()

from fangyuan.engine import sweep  # noqa: E402 - the models need the settings
from fangyuan.engine.management.commands import worker  # noqa: E402
from tests.oracle import agreement, trials  # noqa: E402
from tests.oracle.calendar_oracle import read_public  # noqa: E402

SEED, SIZE, STEPS = 5, 40, 8
# Named by what they are about: numbers of rows differ from one run to another.
DUTY = "o.rule_id, o.subject_type, o.subject_id, o.occurrence"
STANDS = {
    "duties": f"""SELECT {DUTY}, o.person_id, o.began_at, o.due_at, o.met_at, o.state, o.cause,
        o.entered_at FROM engine_obligation o""",
    "moves": f"""SELECT {DUTY}, m.was, m.became, m.at, m.because
        FROM engine_move m JOIN engine_obligation o ON o.id = m.obligation_id""",
    "tallies": """SELECT rule_id, person_id, due_on, state, number
        FROM engine_tally WHERE number <> 0""",
    "alerts": """SELECT rule_id, subject_type, subject_id, raised_at, cleared_at, person_id,
        also_told, removed_at, warned_at FROM engine_alert""",
    "messages": f"""SELECT m.person_id, m.kind, m.sent_at, m.text,
        CASE m.kind WHEN 'REMIND' THEN split_part(m.step_key, ':', 3) END AS step,
        ARRAY(SELECT ({DUTY})::text FROM engine_obligation o
               WHERE o.id = ANY (m.obligations) ORDER BY 1) AS duties,
        (SELECT (a.rule_id, a.subject_type, a.subject_id)::text FROM engine_alert a
          WHERE m.subject_type = 'alert' AND a.id = m.subject_id) AS alert FROM org_message m""",
}  # fmt: skip


class Rounds:
    """The rounds of a worker, each in a process of its own, some of them cut short."""

    def __init__(self, kills: int) -> None:
        self.left = kills
        self.cut = 0
        self._luck = random.Random(kills)
        self._usual = 1.0  # seconds that a round takes

    def work(self, as_of: datetime, most: int) -> None:
        """Do a round, killed up to so many times before it is done."""
        for _ in range(min(most, self.left)):
            if self._is_done(as_of, self._luck.uniform(0.0, self._usual)):
                return
            self.cut += 1
            self.left -= 1
        begun = time.monotonic()
        if not self._is_done(as_of, None):
            raise RuntimeError("the last round did not end")
        self._usual = (self._usual + time.monotonic() - begun) / 2

    def _is_done(self, as_of: datetime, patience: float | None) -> bool:
        """Whether a round came to its end before patience did, in seconds."""
        connection.close()
        number = os.fork()
        if not number:
            _round(as_of)
        if patience is not None:
            time.sleep(patience)
            os.kill(number, signal.SIGKILL)
        _, status = os.waitpid(number, 0)
        return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def _round(as_of: datetime) -> None:
    """What the worker does in a round; waits for the sweep of a killed one to be over."""
    status = 1
    try:
        while True:
            try:
                worker.sweep_now(as_of)
                status = 0
                break
            except sweep.Busy:
                time.sleep(0.01)
    finally:
        os._exit(status)


def play(kills: int, given: list[datetime]) -> tuple[Rounds, list[datetime]]:
    """All steps of the batch, with rounds at these instants, or as many as the kills need."""
    told = agreement.batch(SEED, SIZE, read_public(trials.HOLIDAYS), with_past=True)
    final, setting, rounds = told.worlds, told.setting, Rounds(kills)
    told.worlds, told.setting = told.earlier, told.before
    at, used = setting.as_of[0], []
    while len(used) < max(STEPS, len(given)) or rounds.left:
        number = len(used)
        at = given[number] if given else at + timedelta(hours=37)
        with transaction.atomic():
            ready = min(SIZE * number // STEPS, SIZE)
            ruled = setting if number >= STEPS // 2 else told.before
            if number:
                told.become([*final[:ready], *told.earlier[ready:]], ruled)
            else:
                told.lay()
            written = trials.transaction_number()
        trials.wait_for(written)
        rounds.work(at, max(2, kills // STEPS))
        used.append(at)
    return rounds, used


def stands() -> dict[str, list[str]]:
    """What stands in the database, row by row, in an order of its own."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for name, question in STANDS.items():
            cursor.execute(f"SELECT row_to_json(x)::text FROM ({question}) x ORDER BY 1")
            found[name] = [row[0] for row in cursor.fetchall()]
    return found


def main() -> int:
    """Play and write what came of it."""
    kills, *instants = sys.argv[1:]
    given = [datetime.fromisoformat(one) for one in instants]
    trials.clear()
    rounds, used = play(int(kills), given)
    said: dict[str, Any] = {
        "kills": rounds.cut,
        "instants": [one.isoformat() for one in used],
        "stands": stands(),
    }
    json.dump(said, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
