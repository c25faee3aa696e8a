-- The ledger as it was at an instant, to stand in place of engine_obligation.
SELECT o.id, o.rule_id, o.subject_type, o.subject_id, o.occurrence, o.began_on, o.began_at,
       CASE WHEN m.id IS NULL THEN o.person_id ELSE m.person_was_id END AS person_id,
       CASE WHEN m.id IS NULL THEN o.due_at ELSE m.due_was END AS due_at,
       CASE WHEN m.id IS NULL THEN o.met_at ELSE m.met_was END AS met_at,
       coalesce(m.was, o.state) AS state, o.cause, o.entered_at, o.person_id AS person_now_id
  FROM engine_obligation o
       LEFT JOIN LATERAL (SELECT * FROM engine_move m
                           WHERE m.obligation_id = o.id AND m.at > $at
                           ORDER BY m.at, m.id LIMIT 1) m ON true
 WHERE o.entered_at IS NULL OR o.entered_at <= $at
