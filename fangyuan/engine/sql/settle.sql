-- Write the changed rows, their moves and the tallies in one statement.
WITH moved AS (
  MERGE INTO engine_obligation o
  USING engine_changed c ON o.id = c.id AND o.began_on = c.was_begun_on
  WHEN MATCHED THEN UPDATE
       SET person_id = c.person_id, due_at = c.due_at, met_at = c.met_at, state = c.state,
           began_on = c.began_on, began_at = c.began_at, cause = c.cause, wakes_at = c.wakes_at
  WHEN NOT MATCHED THEN
       INSERT (rule_id, subject_type, subject_id, occurrence, began_on, began_at, person_id, due_at,
               met_at, state, cause, wakes_at)
       VALUES (c.rule_id, c.subject_type, c.subject_id, c.occurrence, c.began_on, c.began_at,
               c.person_id, c.due_at, c.met_at, c.state, c.cause, c.wakes_at)
  RETURNING merge_action() AS did, old.state AS was, old.due_at AS was_due_at,
            old.met_at AS was_met_at, old.person_id AS was_person_id, new.*, c.is_gone
), told AS (
  -- A change of state is history; a duty's first state is in its own row.
  INSERT INTO engine_move (obligation_id, began_on, was, became, at, because)
  SELECT id, began_on, was, state, $now,
         jsonb_build_object('cause', CASE
           WHEN is_gone THEN 'corrected'
           WHEN state = 'VOID' THEN 'left scope'
           WHEN 'WAIVED' IN (was, state) THEN 'waiver'
           WHEN due_at <> was_due_at THEN $due_cause
           WHEN met_at IS NOT NULL AND was_met_at IS NULL AND was = 'BREACHED'
                THEN CASE WHEN state = 'MET' THEN 'late recording' ELSE 'done late' END
           WHEN met_at IS NOT NULL AND was_met_at IS NULL THEN 'done'
           WHEN was = 'OPEN' AND state = 'BREACHED' THEN 'due passed'
           ELSE 'corrected' END)
    FROM moved WHERE did = 'UPDATE' AND was <> state
  RETURNING 1
), tallied AS (
  INSERT INTO engine_tally AS t (rule_id, person_id, due_on, state, number)
  SELECT rule_id, person_id, engine_due_on(due_at), state, sum(n)
    FROM (SELECT rule_id, person_id, due_at, state, 1 AS n FROM moved
          UNION ALL
          SELECT rule_id, was_person_id, was_due_at, was, -1 FROM moved WHERE did = 'UPDATE') x
   GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
  ON CONFLICT (rule_id, due_on, state, person_id) DO UPDATE SET number = t.number + excluded.number
  RETURNING 1
)
SELECT count(*) FILTER (WHERE did = 'INSERT'), count(*) FILTER (WHERE did = 'UPDATE'),
       count(*) FILTER (WHERE did = 'UPDATE' AND was <> state)
  FROM moved
