-- The latest duties of some rules that stood red at an instant: those red now, and those that were.
WITH was AS MATERIALIZED (
  (SELECT id FROM engine_obligation
    WHERE rule_id = ANY (%(rules)s) AND state = 'BREACHED' AND due_at <= %(at)s AND $mine
    ORDER BY due_at DESC LIMIT %(most)s)
  UNION
  $since
)
SELECT $columns FROM ($then) t
 WHERE t.id = ANY (ARRAY(SELECT id FROM was)) AND t.state = 'BREACHED'
 ORDER BY t.due_at DESC, t.id LIMIT %(most)s
