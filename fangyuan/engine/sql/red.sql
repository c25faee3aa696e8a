-- The latest duties of some rules that stood red at an instant: among those red now, those done
-- late since, and those that moved away from red since. Rule by rule, for which there is an index.
WITH was AS MATERIALIZED (
  SELECT o.id FROM unnest(%(rules)s::bigint[]) r (id)
   CROSS JOIN LATERAL (
         SELECT id FROM engine_obligation
          WHERE rule_id = r.id AND state = 'BREACHED' AND due_at <= %(at)s::timestamptz AND $mine
          ORDER BY due_at DESC LIMIT %(most)s::bigint) o
  UNION
  SELECT o.id FROM unnest(%(rules)s::bigint[]) r (id)
   CROSS JOIN LATERAL (
         SELECT id FROM engine_obligation
          WHERE rule_id = r.id AND state = 'LATE' AND due_at <= %(at)s::timestamptz
            AND met_at > %(at)s::timestamptz AND $mine
          ORDER BY due_at DESC LIMIT %(most)s::bigint) o
  UNION
  SELECT o.id FROM engine_move m
    JOIN engine_obligation o ON o.id = m.obligation_id AND o.began_on = m.began_on
   WHERE m.was = 'BREACHED' AND m.at > %(at)s::timestamptz
     AND o.rule_id = ANY (%(rules)s::bigint[]) AND $mine
)
SELECT $columns FROM ($then) t
 WHERE t.id = ANY (ARRAY(SELECT id FROM was)) AND t.state = 'BREACHED'
 ORDER BY t.due_at DESC, t.id LIMIT %(most)s::bigint
