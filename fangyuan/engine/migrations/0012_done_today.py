"""Find what a person did today, and their rate, without reading the whole ledger."""

from django.db import migrations

INDEX = """
CREATE INDEX obligation_done ON engine_obligation (person_id, met_at)
    WHERE state IN ('MET', 'LATE');
CREATE INDEX tally_of_person ON engine_tally (person_id, due_on);
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0011_verdicts")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX obligation_done, tally_of_person")]
