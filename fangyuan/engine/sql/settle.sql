-- Write the new and changed rows, moves, the tallies and the tallies' moves in one statement.
WITH added AS (
  INSERT INTO engine_obligation (rule_id, subject_type, subject_id, occurrence, began_on, began_at,
                                 person_id, due_at, met_at, state, cause, wakes_at, entered_at)
  SELECT rule_id, subject_type, subject_id, occurrence, began_on, began_at, person_id, due_at,
         met_at, state, cause, wakes_at, $now
    FROM engine_changed WHERE id IS NULL
  RETURNING rule_id, person_id, due_at, state
), moved AS (
  UPDATE engine_obligation o
     SET person_id = c.person_id, due_at = c.due_at, met_at = c.met_at, state = c.state,
         began_on = c.began_on, began_at = c.began_at, cause = c.cause, wakes_at = c.wakes_at
    FROM engine_changed c
   WHERE c.id IS NOT NULL AND o.id = c.id AND o.began_on = c.was_begun_on
  RETURNING old.state AS was, old.due_at AS was_due_at, old.met_at AS was_met_at,
            old.person_id AS was_person_id, new.id, new.rule_id, new.began_on, new.person_id,
            new.due_at, new.met_at, new.state, c.is_gone
), told AS (
  -- What was replaced is history; how a duty stands now is in its own row.
  INSERT INTO engine_move (obligation_id, began_on, was, became, at, person_was_id, due_was, met_was,
                           because)
  SELECT id, began_on, was, state, $now, was_person_id, was_due_at, was_met_at,
         jsonb_build_object('cause', CASE
           WHEN was = state AND due_at = was_due_at AND person_id IS DISTINCT FROM was_person_id
                THEN 'handover'
           WHEN is_gone THEN 'corrected'
           WHEN state = 'VOID' THEN 'left scope'
           WHEN 'WAIVED' IN (was, state) THEN 'waiver'
           WHEN due_at <> was_due_at THEN $due_cause
           WHEN met_at IS NOT NULL AND was_met_at IS NULL AND was = 'BREACHED'
                THEN CASE WHEN state = 'MET' THEN 'late recording' ELSE 'done late' END
           WHEN met_at IS NOT NULL AND was_met_at IS NULL THEN 'done'
           WHEN was = 'OPEN' AND state = 'BREACHED' THEN 'due passed'
           ELSE 'corrected' END)
    FROM moved
   WHERE (was, was_person_id, was_due_at, was_met_at)
         IS DISTINCT FROM (state, person_id, due_at, met_at)
  RETURNING 1
), counted AS (
  SELECT rule_id, person_id, engine_due_on(due_at) AS due_on, state, sum(n) AS number
    FROM (SELECT rule_id, person_id, due_at, state, count(*) AS n FROM added GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT rule_id, person_id, due_at, state, 1 FROM moved
          UNION ALL
          SELECT rule_id, was_person_id, was_due_at, was, -1 FROM moved) x
   GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
), tallied AS (
  INSERT INTO engine_tally AS t (rule_id, person_id, due_on, state, number)
  SELECT * FROM counted
  ON CONFLICT (rule_id, due_on, state, person_id) DO UPDATE SET number = t.number + excluded.number
  RETURNING 1
), dated AS (
  INSERT INTO engine_tallymove AS t (known_on, rule_id, person_id, due_on, state, number)
  SELECT engine_due_on($now), * FROM counted
  ON CONFLICT (rule_id, due_on, known_on, state, person_id)
  DO UPDATE SET number = t.number + excluded.number
  RETURNING 1
)
SELECT (SELECT count(*) FROM added), count(*), count(*) FILTER (WHERE was <> state) FROM moved
