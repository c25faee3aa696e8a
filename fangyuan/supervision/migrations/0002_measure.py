"""The function that says of every duty a notice names whether it is right again."""

from django.db import migrations

MEASURE = """
-- How far each duty that a notice names has been put right since the notice was issued.
-- A missed period stays missed: there the next whole periods of the same rule about the same record
-- are counted, anew after every further miss. Anything else is right once it was done after all.
CREATE FUNCTION supervision_measure(named bigint[], periods integer, since timestamptz)
RETURNS TABLE (obligation_id bigint, met integer, needed integer, is_right boolean)
LANGUAGE sql STABLE AS $$
  SELECT o.id, f.met, CASE WHEN r.kind = 'CADENCE' THEN greatest(periods, 1) ELSE 1 END,
         CASE WHEN o.state IN ('MET', 'LATE', 'VOID', 'WAIVED') THEN true
              WHEN r.kind <> 'CADENCE' THEN false
              ELSE f.met >= greatest(periods, 1) OR f.has_left END
    FROM engine_obligation o
         JOIN engine_rule r ON r.id = o.rule_id
         JOIN engine_clause c ON c.id = r.clause_id
         CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE n.state = 'MET' AND n.broken = 0)::integer AS met,
                  coalesce(bool_or(n.state = 'VOID' AND n.is_last), false) AS has_left
             FROM (SELECT l.state,
                          count(*) FILTER (WHERE l.state = 'BREACHED')
                            OVER (ORDER BY l.began_at DESC) AS broken,
                          row_number() OVER (ORDER BY l.began_at DESC) = 1 AS is_last
                     FROM engine_obligation l
                          JOIN engine_rule lr ON lr.id = l.rule_id AND NOT lr.is_shadow
                          JOIN engine_clause lc ON lc.id = lr.clause_id
                    WHERE l.subject_id = o.subject_id AND l.subject_type = o.subject_type
                      AND lc.number = c.number AND lr.line = r.line
                      AND l.began_at >= since) n
         ) f
   WHERE o.id = ANY (named)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("supervision", "0001_records"), ("engine", "0002_ledger")]

    operations = [migrations.RunSQL(MEASURE, "DROP FUNCTION supervision_measure;")]
