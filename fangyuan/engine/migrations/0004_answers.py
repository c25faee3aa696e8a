"""Functions of the database that the sweep's statements call for the rare cases."""

from django.db import migrations

FUNCTIONS = """
-- An instant as an occurrence says it: ISO 8601 in the company's zone.
CREATE FUNCTION engine_said(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS')
         || CASE WHEN date_trunc('second', local) = local THEN '' ELSE to_char(local, '.US') END
         || CASE WHEN gap < '0' THEN '-' ELSE '+' END || to_char(abs(extract(hour FROM gap)), 'FM00')
         || ':' || to_char(abs(extract(minute FROM gap)), 'FM00')
    FROM (SELECT at AT TIME ZONE 'Asia/Shanghai' AS local,
                 (at AT TIME ZONE 'Asia/Shanghai') - (at AT TIME ZONE 'UTC') AS gap) x
$$;

-- The day on which a duty falls due: 24:00 belongs to the day that ends.
CREATE FUNCTION engine_due_on(due_at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT ((due_at - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date
$$;

-- The colleague at the end of the chain of stand-ins; in a circle, or where the chain ends with
-- somebody absent, the holder remains.
CREATE FUNCTION engine_stand_in(holder bigint, at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  person bigint := holder;
  passed bigint[] := ARRAY[holder];
  next_one bigint;
BEGIN
  LOOP
    SELECT stand_in_id INTO next_one FROM org_leave
     WHERE person_id = person AND stage = 'APPROVED' AND removed_at IS NULL
       AND starts_at < at AND ends_at >= at;
    IF NOT FOUND THEN RETURN person; END IF;
    IF next_one IS NULL OR next_one = ANY (passed) THEN RETURN holder; END IF;
    person := next_one;
    passed := passed || person;
  END LOOP;
END $$;

-- The nearest superior, by the lines of now, who holds exactly a position at an instant.
CREATE FUNCTION engine_superior(person bigint, held text, at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
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

-- Where nobody holds a record: the leader, now, of the team of whoever held it last.
CREATE FUNCTION engine_last_leader(kind text, number bigint, at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT t.leader_id
    FROM (SELECT h.person_id FROM org_holding h
           WHERE h.subject_type = kind AND h.subject_id = number AND h.role = 'OWNER'
             AND h.removed_at IS NULL AND h.ends_at < at
           ORDER BY h.ends_at DESC, h.starts_at DESC LIMIT 1) last
    JOIN LATERAL (SELECT m.team_id FROM org_membership m
           WHERE m.person_id = last.person_id AND m.is_main AND m.removed_at IS NULL
             AND (m.starts_on::timestamp AT TIME ZONE 'Asia/Shanghai') <= at
           ORDER BY ((m.starts_on::timestamp AT TIME ZONE 'Asia/Shanghai') < at) DESC,
                    m.starts_on DESC LIMIT 1) member ON true
    JOIN org_team t ON t.id = member.team_id
$$;

-- Whether a holder had a record for at least half of the part of a period that has elapsed, and
-- the next instant at which that answer turns, by the spans now known.
CREATE FUNCTION engine_half(kind text, number bigint, part text, person bigint, starts timestamptz,
                            ends timestamptz, now timestamptz, OUT is_enough boolean, OUT turns_at timestamptz)
LANGUAGE sql STABLE AS $$
  WITH mine AS (
    SELECT greatest(h.starts_at, starts) AS a, least(coalesce(h.ends_at, ends), ends) AS b
      FROM org_holding h
     WHERE h.subject_type = kind AND h.subject_id = number AND h.role = part
       AND h.person_id = person AND h.removed_at IS NULL
       AND h.starts_at < ends AND (h.ends_at IS NULL OR h.ends_at > starts)
  ), run AS (
    SELECT a, b, lead(a, 1, ends) OVER (ORDER BY a) AS next_a,
           coalesce(sum(b - a) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '0') AS had
      FROM mine
  ), turn AS (
    -- While held the share grows: it reaches half at x with 2 * (had + x - a) = x - starts.
    SELECT a + (a - starts) - 2 * had AS at, a AS low, b AS high FROM run
    UNION ALL
    -- While not held it shrinks, and falls below half just after 2 * (had + b - a) = x - starts.
    SELECT starts + 2 * (had + (b - a)) + interval '1 microsecond', b, next_a FROM run
  )
  SELECT coalesce((SELECT sum(greatest(least(b, least(now, ends)) - a, '0')) FROM mine), '0') * 2
           >= greatest(least(now, ends) - starts, '0'),
         (SELECT min(at) FROM turn WHERE at > now AND at >= low AND at <= high + interval '1 microsecond'
             AND at <= ends)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0003_heartbeat"), ("org", "0001_records")]

    operations = [
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION engine_half, engine_last_leader, engine_superior, engine_stand_in,"
            " engine_due_on, engine_said;",
        )
    ]
