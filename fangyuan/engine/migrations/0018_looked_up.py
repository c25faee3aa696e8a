"""What is asked once for each duty is found by an index: its waiver, a superior, a last leader.

A sweep turns nested loops off for its own statements; these functions look single rows up.
"""

from django.db import migrations

WAIVERS = """
CREATE INDEX waiver_of_clause ON engine_waiver (clause, subject_id, person_id)
    WHERE removed_at IS NULL AND stage = 'ACTIVE';
"""
NO_WAIVERS = "DROP INDEX waiver_of_clause"

# The nearest superior who holds a position at an instant, whoever is superior now.
SUPERIOR = """
CREATE OR REPLACE FUNCTION engine_superior(person bigint, held text, at timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  one bigint := person;
  seen bigint[] := ARRAY[]::bigint[];
BEGIN
  LOOP
    SELECT p.manager_id INTO one FROM org_person p WHERE p.id = one;
    IF one IS NULL OR one = ANY (seen) THEN RETURN NULL; END IF;
    IF EXISTS (
      SELECT FROM org_membership m
       WHERE m.person_id = one AND m.position_id = held AND m.removed_at IS NULL
         AND (m.starts_on::timestamp AT TIME ZONE 'Asia/Shanghai') <= at
         AND (m.ends_on IS NULL OR ((m.ends_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') >= at))
    THEN RETURN one; END IF;
    seen := seen || one;
  END LOOP;
END $$;
ALTER FUNCTION engine_last_leader(text, bigint, timestamptz) SET enable_nestloop = on;
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION engine_superior(person bigint, held text, at timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
  WITH RECURSIVE up AS (
    SELECT manager_id AS id, 1 AS step, ARRAY[]::bigint[] AS seen FROM org_person WHERE id = person
    UNION ALL
    SELECT p.manager_id, up.step + 1, up.seen || p.id
      FROM up JOIN org_person p ON p.id = up.id WHERE NOT p.id = ANY (up.seen)
  )
  SELECT up.id FROM up
   WHERE EXISTS (
     SELECT FROM org_membership m
      WHERE m.person_id = up.id AND m.position_id = held AND m.removed_at IS NULL
        AND (m.starts_on::timestamp AT TIME ZONE 'Asia/Shanghai') <= at
        AND (m.ends_on IS NULL OR ((m.ends_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') >= at))
   ORDER BY up.step LIMIT 1
$$;
ALTER FUNCTION engine_last_leader(text, bigint, timestamptz) RESET enable_nestloop;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0017_waiver_end")]

    operations = [
        migrations.RunSQL(WAIVERS, NO_WAIVERS),
        migrations.RunSQL(SUPERIOR, AS_BEFORE),
    ]
