"""A period's holder at its end who does not hold it at its start loses the half just after that.

A sweep at the very start of a period showed them, and nothing woke it until they took over.
"""

from django.db import migrations

HALF = """
CREATE OR REPLACE FUNCTION engine_half(kind text, number bigint, part text, person bigint,
  starts timestamp with time zone, ends timestamp with time zone,
  now timestamp with time zone, OUT is_enough boolean, OUT turns_at timestamp with time zone)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
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
    -- Before they hold it at all the share falls below half just after the period begins.
    SELECT starts + interval '1 microsecond' AS at, starts AS low, min(a) AS high FROM run
    HAVING min(a) > starts
    UNION ALL
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
$function$;
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION engine_half(kind text, number bigint, part text, person bigint,
  starts timestamp with time zone, ends timestamp with time zone,
  now timestamp with time zone, OUT is_enough boolean, OUT turns_at timestamp with time zone)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0019_past_of_person")]

    operations = [migrations.RunSQL(HALF, AS_BEFORE)]
