"""Add up the past of a few people without reading everybody's."""

from django.db import migrations

INDEX = """
CREATE INDEX tally_move_of_person ON engine_tallymove (person_id, due_on)
    INCLUDE (known_on, rule_id, state, number);
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0018_looked_up")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX tally_move_of_person")]
