-- 期限: every customer is entered within 24 hours of being learned of.
INSERT INTO engine_obligation (rule_id, subject_type, subject_id, occurrence, began_on, began_at,
       person_id, due_at, met_at, state, cause, wakes_at)
WITH owed AS (
  SELECT c.id, c.learned_at, c.recorded_at, c.imported_at, c.removed_at, d.due_at,
         CASE WHEN c.recorded_at <= %(now)s THEN c.recorded_at END AS met_at, h.person_id
    FROM customers_customer c
   CROSS JOIN LATERAL (SELECT c.learned_at + interval '24 hours' AS due_at) d
    LEFT JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
          AND h.role = 'OWNER' AND h.removed_at IS NULL
          AND h.starts_at < least(d.due_at, c.recorded_at)
          AND (h.ends_at IS NULL OR h.ends_at >= least(d.due_at, c.recorded_at))
   WHERE c.learned_at >= %(since)s AND c.learned_at <= %(now)s
     AND (c.removed_at IS NULL OR c.removed_at > c.learned_at)
), judged AS (
  SELECT o.*, CASE WHEN removed_at < due_at AND removed_at <= %(now)s
                        AND (met_at IS NULL OR met_at >= removed_at) THEN 'VOID'
                   WHEN met_at <= due_at THEN 'MET' WHEN met_at IS NOT NULL THEN 'LATE'
                   WHEN %(now)s > due_at THEN 'BREACHED' ELSE 'OPEN' END AS state
    FROM owed o
)
SELECT %(rule)s, 'customer', id, 'learned_at',
       (learned_at AT TIME ZONE 'Asia/Shanghai')::date, learned_at, person_id, due_at,
       CASE WHEN state <> 'VOID' THEN met_at END, state,
       CASE WHEN recorded_at > due_at OR imported_at >= due_at OR state = 'VOID'
            THEN jsonb_strip_nulls(jsonb_build_object(
                   'told_late', nullif(recorded_at > due_at, false),
                   'imported', nullif(imported_at >= due_at, false),
                   'left_at', CASE WHEN state = 'VOID' THEN removed_at END))
            ELSE '{}' END,
       CASE WHEN state = 'OPEN' THEN due_at END
  FROM judged
