"""Find what was red at a past instant: what is late since, and what moved away from red."""

from django.db import migrations

INDEX = """
CREATE INDEX obligation_late ON engine_obligation (rule_id, due_at) WHERE state = 'LATE';
CREATE INDEX move_from_red ON engine_move (at) WHERE was = 'BREACHED';
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0015_history")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX obligation_late, move_from_red")]
