"""The index of a person's unsettled duties has them in their whole order.

Thousands of duties are due at the same instant, the end of a month; a list that is in order needs
only those of its page.
"""

from django.db import migrations

FORWARD = """
DROP INDEX obligation_of_person;
CREATE INDEX obligation_of_person ON engine_obligation (person_id, due_at, id)
 WHERE state IN ('OPEN', 'BREACHED');
"""
BACK = """
DROP INDEX obligation_of_person;
CREATE INDEX obligation_of_person ON engine_obligation (person_id, due_at)
 WHERE state IN ('OPEN', 'BREACHED');
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0020_turns_at_once")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
