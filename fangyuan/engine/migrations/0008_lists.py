"""Indexes for lists of everybody's duties: by due time the unsettled together, else by state."""

from django.db import migrations

FORWARD = """
CREATE INDEX obligation_unsettled ON engine_obligation (due_at, id)
    WHERE state IN ('OPEN', 'BREACHED');
CREATE INDEX obligation_of_state ON engine_obligation (state, due_at, id);
-- One for both of the states in which a rule's duties are looked for.
CREATE INDEX obligation_of_rule ON engine_obligation (rule_id, state, due_at)
    WHERE state IN ('OPEN', 'BREACHED');
DROP INDEX obligation_open, obligation_breached;
"""
BACK = """
CREATE INDEX obligation_breached ON engine_obligation (rule_id, due_at) WHERE state = 'BREACHED';
CREATE INDEX obligation_open ON engine_obligation (rule_id, due_at) WHERE state = 'OPEN';
DROP INDEX obligation_of_rule, obligation_of_state, obligation_unsettled;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0007_drafts")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
