-- 期限: every visit to a key account is written up within 24 hours of its end.
INSERT INTO engine_obligation (rule_id, subject_type, subject_id, occurrence, began_on, began_at,
       person_id, due_at, met_at, state, cause, wakes_at)
WITH account AS (
  -- Since when, and until when, a customer was a key account; told values are its whole history.
  SELECT subject_id AS id, starts_at,
         coalesce(least(ends_at, lead(starts_at) OVER w), 'infinity') AS ends_at, value
    FROM core_tracked WHERE subject_type = 'customer' AND fact = 'is_ka' AND removed_at IS NULL
  WINDOW w AS (PARTITION BY subject_id ORDER BY starts_at)
  UNION ALL
  SELECT c.id, c.learned_at, 'infinity', 'true' FROM customers_customer c
   WHERE c.is_ka AND NOT EXISTS (SELECT FROM core_tracked t WHERE t.subject_type = 'customer'
                     AND t.subject_id = c.id AND t.fact = 'is_ka' AND t.removed_at IS NULL)
), owed AS (
  SELECT a.id, a.ended_at, a.recorded_at, a.imported_at, a.removed_at, a.person_id,
         a.ended_at + interval '24 hours' AS due_at,
         CASE WHEN a.written_at <= %(now)s THEN a.written_at END AS met_at
    FROM activities_activity a
    JOIN account k ON k.id = a.customer_id AND k.value = 'true'
                  AND k.starts_at <= a.ended_at AND a.ended_at < k.ends_at
   WHERE a.kind = 'VISIT' AND a.recorded_at <= %(now)s
     AND a.ended_at >= %(since)s AND a.ended_at <= %(now)s
     AND (a.removed_at IS NULL OR a.removed_at > a.ended_at)
), judged AS (
  SELECT o.*, CASE WHEN removed_at < due_at AND removed_at <= %(now)s
                        AND (met_at IS NULL OR met_at >= removed_at) THEN 'VOID'
                   WHEN met_at <= due_at THEN 'MET' WHEN met_at IS NOT NULL THEN 'LATE'
                   WHEN %(now)s > due_at THEN 'BREACHED' ELSE 'OPEN' END AS state
    FROM owed o
)
SELECT %(rule)s, 'activity', id, 'ended_at', (ended_at AT TIME ZONE 'Asia/Shanghai')::date,
       ended_at, person_id, due_at, CASE WHEN state <> 'VOID' THEN met_at END, state,
       CASE WHEN recorded_at > due_at OR imported_at >= due_at OR state = 'VOID'
            THEN jsonb_strip_nulls(jsonb_build_object(
                   'told_late', nullif(recorded_at > due_at, false),
                   'imported', nullif(imported_at >= due_at, false),
                   'left_at', CASE WHEN state = 'VOID' THEN removed_at END))
            ELSE '{}' END,
       CASE WHEN state = 'OPEN' THEN due_at END
  FROM judged
