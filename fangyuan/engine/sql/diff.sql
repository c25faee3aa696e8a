-- What the ledger must change: rows that are new or differ, and duties that vanished.
INSERT INTO engine_changed
WITH want AS (
$want
), there AS (
$there
)
SELECT t.id, t.began_on AS was_begun_on,
       coalesce(w.rule_id, t.rule_id), coalesce(w.subject_type, t.subject_type),
       coalesce(w.subject_id, t.subject_id), coalesce(w.occurrence, t.occurrence),
       coalesce(w.began_on, t.began_on), coalesce(w.began_at, t.began_at),
       CASE WHEN w.rule_id IS NULL THEN t.person_id ELSE w.person_id END,
       coalesce(w.due_at, t.due_at), w.met_at, coalesce(w.state, 'VOID'),
       coalesce(w.cause, '{"gone": true}'), w.wakes_at, w.rule_id IS NULL AS is_gone
  FROM want w
       -- Both sides are read once, and only the rule's own part of the ledger.
       FULL JOIN there t ON t.rule_id = w.rule_id AND t.subject_id = w.subject_id
                        AND t.occurrence = w.occurrence
 WHERE CASE WHEN w.rule_id IS NULL THEN t.state <> 'VOID'
            WHEN t.id IS NULL THEN true
            ELSE (t.person_id, t.due_at, t.met_at, t.state, t.began_at, t.wakes_at, t.cause)
                 IS DISTINCT FROM
                 (w.person_id, w.due_at, w.met_at, w.state, w.began_at, w.wakes_at, w.cause) END
