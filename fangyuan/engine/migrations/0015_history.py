"""The ledger remembers how it stood: what a move replaced, and the tallies' changes by day."""

from django.db import migrations, models

import fangyuan.core.fields

# When the ledger first held a duty. The table is made by hand; see 0002.
ENTERED = "ALTER TABLE engine_obligation ADD COLUMN entered_at timestamptz"
# A duty that is due before its period begins is shown from the start of the period before.
SHOWN = """
CREATE FUNCTION engine_shown_at(began_at timestamptz, due_at timestamptz, occurrence text)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN due_at > began_at THEN began_at
              ELSE coalesce((began_at AT TIME ZONE 'Asia/Shanghai'
                             - CASE split_part(occurrence, ':', 1)
                               WHEN 'day' THEN interval '1 day'
                               WHEN 'week' THEN interval '7 days'
                               WHEN 'biweek' THEN interval '14 days'
                               WHEN 'month' THEN interval '1 month'
                               WHEN 'quarter' THEN interval '3 months'
                               WHEN 'half-year' THEN interval '6 months'
                               WHEN 'year' THEN interval '1 year' END)
                            AT TIME ZONE 'Asia/Shanghai', began_at) END
$$;
"""
# What stands open or red more than 77 days after it fell due changes rarely: looking back at the
# standing duties reads those changes alone. Everything else is bounded by the due day.
INDEXES = """
CREATE INDEX tally_move_by_day ON engine_tallymove (due_on, known_on)
    INCLUDE (rule_id, person_id, state, number);
CREATE INDEX tally_move_tardy ON engine_tallymove (known_on)
    INCLUDE (due_on, rule_id, person_id, state, number)
    WHERE state IN ('OPEN', 'BREACHED') AND known_on > due_on + 77;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0014_tried_stage")]

    operations = [
        migrations.RunSQL(ENTERED, "ALTER TABLE engine_obligation DROP COLUMN entered_at"),
        migrations.RunSQL(SHOWN, "DROP FUNCTION engine_shown_at"),
        migrations.AddField(
            "move",
            "person_was_id",
            models.BigIntegerField(null=True, verbose_name="责任人前"),
        ),
        migrations.AddField(
            "move", "due_was", models.DateTimeField(null=True, verbose_name="到期前")
        ),
        migrations.AddField(
            "move", "met_was", models.DateTimeField(null=True, verbose_name="完成前")
        ),
        migrations.AddField(
            "progress", "kept_since", models.DateTimeField(null=True, verbose_name="账本起记")
        ),
        migrations.CreateModel(
            name="TallyMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("known_on", models.DateField(verbose_name="入账日")),
                ("rule_id", models.BigIntegerField(verbose_name="规则")),
                ("person_id", models.BigIntegerField(null=True, verbose_name="责任人")),
                ("due_on", models.DateField(verbose_name="到期日")),
                ("state", fangyuan.core.fields.Text(verbose_name="状态")),
                ("number", models.BigIntegerField(verbose_name="增减件数")),
            ],
            options={
                "verbose_name": "计数变动",
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=["rule_id", "due_on", "known_on", "state", "person_id"],
                        name="tally_move_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(INDEXES, "DROP INDEX tally_move_by_day, tally_move_tardy"),
    ]
