-- What the ledger must change: rows that are new or differ, and duties that vanished.
INSERT INTO engine_changed
WITH want AS (
$want
), there AS (
$there
)
SELECT t.id, t.began_on AS was_begun_on, w.*, false AS is_gone
  FROM want w
       LEFT JOIN there t ON t.rule_id = w.rule_id AND t.subject_id = w.subject_id
                        AND t.occurrence = w.occurrence
 WHERE t.id IS NULL
    OR (t.person_id, t.due_at, t.met_at, t.state, t.began_at, t.wakes_at, t.cause)
       IS DISTINCT FROM
       (w.person_id, w.due_at, w.met_at, w.state, w.began_at, w.wakes_at, w.cause)
UNION ALL
-- Never WHEN NOT MATCHED BY SOURCE, which reads the whole ledger: what vanished is said here.
SELECT t.id, t.began_on, t.rule_id, t.subject_type, t.subject_id, t.occurrence, t.began_on,
       t.began_at, t.person_id, t.due_at, NULL, 'VOID', '{"gone": true}', NULL, true
  FROM there t
 WHERE t.state <> 'VOID'
   AND NOT EXISTS (SELECT FROM want w WHERE w.rule_id = t.rule_id AND w.subject_id = t.subject_id
                      AND w.occurrence = t.occurrence)
