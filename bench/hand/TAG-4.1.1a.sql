-- 频率: every customer that is not lost is reviewed in every month.
INSERT INTO engine_obligation (rule_id, subject_type, subject_id, occurrence, began_on, began_at,
       person_id, due_at, met_at, state, cause, wakes_at)
WITH month AS (
  SELECT m::date AS first, m AT TIME ZONE 'Asia/Shanghai' AS starts_at,
         (m + interval '1 month') AT TIME ZONE 'Asia/Shanghai' AS ends_at
    FROM generate_series(date_trunc('month', %(since)s AT TIME ZONE 'Asia/Shanghai'),
                         date_trunc('month', %(now)s AT TIME ZONE 'Asia/Shanghai'),
                         interval '1 month') m
), review AS (
  SELECT r.subject_id, date_trunc('month', r.submitted_at AT TIME ZONE 'Asia/Shanghai')::date AS first,
         min(r.submitted_at) AS at
    FROM forms_response r JOIN forms_form f ON f.id = r.form_id AND f.kind = 'REVIEW'
   WHERE r.subject_type = 'customer' AND r.submitted_at >= %(since)s AND r.submitted_at <= %(now)s
     AND r.recorded_at <= %(now)s AND (r.removed_at IS NULL OR r.removed_at > %(now)s)
     AND r.covers @> '{基本信息,行业,规模,需求,购买意向,合作历史,信用}'::text[]
   GROUP BY 1, 2
), owed AS (
  SELECT c.id, c.recorded_at, c.imported_at, m.*, h.person_id,
         CASE WHEN r.at < m.ends_at THEN r.at END AS met_at,
         least(c.lost_at, c.removed_at) AS gone_at
    FROM customers_customer c
    JOIN month m ON m.starts_at >= c.learned_at
                AND (c.lost_at IS NULL OR c.lost_at > m.starts_at)
                AND (c.removed_at IS NULL OR c.removed_at > m.starts_at)
    LEFT JOIN review r ON r.subject_id = c.id AND r.first = m.first
    LEFT JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
          AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.starts_at < m.ends_at
          AND (h.ends_at IS NULL OR h.ends_at >= m.ends_at)
   WHERE c.recorded_at <= %(now)s
), judged AS (
  SELECT o.*, CASE WHEN gone_at < ends_at AND gone_at <= %(now)s
                        AND (met_at IS NULL OR met_at >= gone_at) THEN 'VOID'
                   WHEN met_at IS NOT NULL THEN 'MET'
                   WHEN %(now)s >= ends_at THEN 'BREACHED' ELSE 'OPEN' END AS state
    FROM owed o
)
SELECT %(rule)s, 'customer', id, 'month:' || first, first, starts_at, person_id, ends_at,
       CASE WHEN state <> 'VOID' THEN met_at END, state,
       CASE WHEN recorded_at > ends_at OR imported_at >= ends_at OR state = 'VOID'
            THEN jsonb_strip_nulls(jsonb_build_object(
                   'told_late', nullif(recorded_at > ends_at, false),
                   'imported', nullif(imported_at >= ends_at, false),
                   'left_at', CASE WHEN state = 'VOID' THEN gone_at END))
            ELSE '{}' END,
       CASE WHEN state = 'OPEN' THEN ends_at END
  FROM judged
