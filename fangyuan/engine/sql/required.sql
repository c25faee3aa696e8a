-- 必填: one row for each span of scope; a version that begins within one asks anew.
WITH subject AS MATERIALIZED (
  -- subject_id, known_at, imported_at, own_id, held_type, held_id, scope, complete
$subjects
), begun AS (
  SELECT s.*, lower(r) AS began_at
    FROM subject s CROSS JOIN LATERAL unnest(s.scope) r
   WHERE lower(r) <= $now
  UNION ALL
  SELECT s.*, $version_at
    FROM subject s CROSS JOIN LATERAL unnest(s.scope) r
   WHERE lower(r) < $version_at AND r @> $version_at AND $version_at <= $now
     AND NOT s.complete @> $version_at
), counted AS (
  SELECT b.*, engine_said(b.began_at) AS occurrence, $due AS $due_at, $guess AS $is_guess,
         $completed AS done_at
    FROM begun b
         $calendar
   WHERE $in_force
)$extended, judged AS (
  SELECT c.*,
         CASE WHEN c.done_at <= $now THEN c.done_at END AS met_at,
         (SELECT upper(r) FROM unnest(c.scope) r WHERE r @> c.began_at) AS gone_at,
         CASE WHEN c.done_at <= c.due_at AND c.done_at <= $now THEN c.done_at
              ELSE c.due_at END AS answers_at
    FROM $dated c
)
