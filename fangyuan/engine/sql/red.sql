-- The latest duties of some rules that stood red at an instant: among those red now, those done
-- late since, and those that moved away from red since.
WITH own AS NOT MATERIALIZED (
  SELECT * FROM engine_obligation
   WHERE rule_id = ANY (%(rules)s)
     AND (%(people)s::bigint[] IS NULL OR person_id = ANY (%(people)s))
), was AS MATERIALIZED (
  (SELECT id FROM own WHERE state = 'BREACHED' AND due_at <= %(at)s
    ORDER BY due_at DESC LIMIT %(most)s)
  UNION
  (SELECT id FROM own WHERE state = 'LATE' AND due_at <= %(at)s AND met_at > %(at)s
    ORDER BY due_at DESC LIMIT %(most)s)
  UNION
  SELECT own.id FROM engine_move m
    JOIN own ON own.id = m.obligation_id AND own.began_on = m.began_on
   WHERE m.was = 'BREACHED' AND m.at > %(at)s
)
SELECT $columns FROM ($then) t
 WHERE t.id = ANY (ARRAY(SELECT id FROM was)) AND t.state = 'BREACHED'
 ORDER BY t.due_at DESC, t.id LIMIT %(most)s
