-- Put the tallies right, and note by how much on the day that it was done.
WITH off AS MATERIALIZED (
  SELECT rule_id, person_id, due_on, state, counted - kept AS number FROM ($tallies) x
), tallied AS (
  INSERT INTO engine_tally AS t (rule_id, person_id, due_on, state, number)
  SELECT rule_id, person_id, due_on, state, number FROM off
  ON CONFLICT (rule_id, due_on, state, person_id) DO UPDATE SET number = t.number + excluded.number
  RETURNING 1
), dated AS (
  INSERT INTO engine_tallymove AS t (known_on, rule_id, person_id, due_on, state, number)
  SELECT engine_due_on($now), rule_id, person_id, due_on, state, number FROM off
  ON CONFLICT (rule_id, due_on, known_on, state, person_id)
  DO UPDATE SET number = t.number + excluded.number
  RETURNING 1
)
SELECT count(*) FROM off
