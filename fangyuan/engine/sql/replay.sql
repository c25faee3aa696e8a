-- The duties of one rule as they stand in the ledger beside those the draft would have given.
INSERT INTO engine_case
WITH want AS (
$want
), after AS (
  SELECT w.* FROM want w
   WHERE w.state <> 'VOID' AND w.began_at >= $starts AND w.began_at < $ends
), before AS (
  SELECT o.* FROM engine_obligation o
   WHERE o.rule_id = ANY ($standing) AND o.state <> 'VOID'
     AND o.began_on >= ($starts AT TIME ZONE '$zone')::date
     AND o.began_on <= ($ends AT TIME ZONE '$zone')::date
     AND o.began_at >= $starts AND o.began_at < $ends
)
SELECT subject_id, occurrence, coalesce(a.began_at, b.began_at), coalesce(a.met_at, b.met_at),
       b.state, b.person_id, b.due_at, a.state, a.person_id, a.due_at
  FROM after a FULL JOIN before b USING (subject_id, occurrence)
 WHERE $chosen
