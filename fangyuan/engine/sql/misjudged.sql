-- Episodes of one alert that the facts give beside those that stand; `engine_episode` is filled.
WITH want AS (
  SELECT e.subject_id, e.raised_at, min(e.cleared_at) AS cleared_at, min(e.known_at) AS known_at,
         min(e.person_id) FILTER (WHERE e.place = 0) AS person_id,
         coalesce(array_agg(DISTINCT e.person_id ORDER BY e.person_id)
                  FILTER (WHERE e.place > 0 AND e.person_id IS NOT NULL), '{}') AS also_told
    FROM engine_episode e GROUP BY 1, 2
), there AS (
  SELECT subject_id, raised_at, cleared_at, known_at, person_id, also_told
    FROM engine_alert WHERE rule_id = $rule AND removed_at IS NULL
), both_sides AS (
  SELECT coalesce(w.subject_id, t.subject_id) AS subject_id,
         coalesce(w.raised_at, t.raised_at) AS raised_at, w, t
    FROM want w FULL JOIN there t ON t.subject_id = w.subject_id AND t.raised_at = w.raised_at
   WHERE w IS DISTINCT FROM t
)
SELECT $rule AS rule_id, r.record AS subject_type, b.subject_id,
       engine_said(b.raised_at) AS occurrence, b.raised_at::date AS began_on,
       CASE WHEN b.t IS DISTINCT FROM NULL THEN to_jsonb(b.t) || jsonb_build_object('state',
         CASE WHEN (b.t).cleared_at IS NULL THEN 'OPEN' ELSE 'MET' END, 'began_at', b.raised_at,
         'due_at', b.raised_at, 'met_at', (b.t).cleared_at) END AS there,
       CASE WHEN b.w IS DISTINCT FROM NULL THEN to_jsonb(b.w) || jsonb_build_object('state',
         CASE WHEN (b.w).cleared_at IS NULL THEN 'OPEN' ELSE 'MET' END, 'began_at', b.raised_at,
         'due_at', b.raised_at, 'met_at', (b.w).cleared_at) END AS want
  FROM both_sides b JOIN engine_rule r ON r.id = $rule
 ORDER BY b.subject_id, b.raised_at
