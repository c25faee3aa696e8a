-- 必填: a customer of grade A has a team of three roles within five working days of becoming one.
INSERT INTO engine_obligation (rule_id, subject_type, subject_id, occurrence, began_on, began_at,
       person_id, due_at, met_at, state, cause, wakes_at)
WITH grade AS (
  SELECT subject_id AS id, value, starts_at,
         least(ends_at, lead(starts_at) OVER (PARTITION BY subject_id ORDER BY starts_at)) AS ends_at
    FROM core_tracked WHERE subject_type = 'customer' AND fact = 'grade' AND removed_at IS NULL
), key AS (
  SELECT k.id, range_agg(tstzrange(k.starts_at, k.ends_at)) AS spans FROM grade k
   WHERE k.value = 'A' AND (k.ends_at IS NULL OR k.ends_at > k.starts_at) GROUP BY 1
  UNION ALL
  SELECT c.id, tstzmultirange(tstzrange(c.learned_at, NULL)) FROM customers_customer c
   WHERE c.grade = 'A' AND NOT EXISTS (SELECT FROM grade g WHERE g.id = c.id)
), begun AS (
  SELECT c.id, c.recorded_at, c.imported_at, lower(r) AS began_at, upper(r) AS gone_at
    FROM key k JOIN customers_customer c ON c.id = k.id
   CROSS JOIN LATERAL unnest(k.spans * tstzmultirange(tstzrange(
           greatest(c.learned_at, %(since)s), c.removed_at))) r
   WHERE c.recorded_at <= %(now)s AND lower(r) <= %(now)s
), role AS (
  SELECT h.subject_id AS id, h.role, range_agg(tstzrange(h.starts_at, h.ends_at)) AS spans
    FROM org_holding h
   WHERE h.subject_type = 'customer' AND h.role IN ('OWNER', 'TECHNICAL', 'AFTERSALES')
     AND h.removed_at IS NULL AND h.subject_id IN (SELECT id FROM begun) GROUP BY 1, 2
), owed AS (
  SELECT b.*, (z."on" + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' AS due_at,
         (SELECT min(greatest(lower(q), b.began_at)) FROM unnest(o.spans * t.spans * s.spans) q
           WHERE upper_inf(q) OR upper(q) > b.began_at) AS done_at, z.unknown > a.unknown AS is_guess
    FROM begun b
    JOIN core_workday a ON a."on" = (b.began_at AT TIME ZONE 'Asia/Shanghai')::date
    JOIN core_workday z ON z.is_working AND z.nth = a.nth + 5
    LEFT JOIN role o ON o.id = b.id AND o.role = 'OWNER'
    LEFT JOIN role t ON t.id = b.id AND t.role = 'TECHNICAL'
    LEFT JOIN role s ON s.id = b.id AND s.role = 'AFTERSALES'
), judged AS (
  SELECT o.*, CASE WHEN gone_at < due_at AND gone_at <= %(now)s
                        AND (met_at IS NULL OR met_at >= gone_at) THEN 'VOID'
                   WHEN met_at <= due_at THEN 'MET' WHEN met_at IS NOT NULL THEN 'LATE'
                   WHEN %(now)s > due_at AND NOT is_guess THEN 'BREACHED' ELSE 'OPEN' END AS state
    FROM (SELECT *, CASE WHEN done_at <= %(now)s THEN done_at END AS met_at FROM owed) o
)
SELECT %(rule)s, 'customer', j.id, engine_said(j.began_at),
       (began_at AT TIME ZONE 'Asia/Shanghai')::date, began_at,
       engine_superior(h.person_id, 'position:sales_manager', least(met_at, due_at)), due_at,
       CASE WHEN state <> 'VOID' THEN met_at END, state,
       jsonb_strip_nulls(jsonb_build_object('told_late', nullif(j.recorded_at > due_at, false),
         'imported', nullif(coalesce(j.imported_at >= due_at, false), false),
         'provisional', nullif(is_guess, false),
         'left_at', CASE WHEN state = 'VOID' THEN gone_at END)),
       CASE WHEN state = 'OPEN' AND NOT is_guess THEN due_at END
  FROM judged j
  LEFT JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = j.id
        AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.starts_at < least(met_at, due_at)
        AND (h.ends_at IS NULL OR h.ends_at >= least(met_at, due_at))
