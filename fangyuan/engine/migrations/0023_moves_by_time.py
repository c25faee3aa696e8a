"""What moved after an instant is found by time; rows come in that order, so ranges suffice."""

from django.db import migrations

FORWARD = """
CREATE INDEX move_by_time ON engine_move USING brin (at) WITH (autosummarize = on);
CREATE INDEX obligation_by_entry ON engine_obligation USING brin (entered_at)
  WITH (autosummarize = on);
"""
BACK = """
DROP INDEX obligation_by_entry;
DROP INDEX move_by_time;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0022_refusals")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
