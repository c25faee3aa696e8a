-- 预警: for each span of truth its first fixed instant, the first one after it, and when it clears.
SELECT l.*, $clears AS clears_at
  FROM (
    SELECT s.subject_id, s.known_at, s.imported_at, s.own_id, s.held_type, s.held_id,
           $first AS first_at, $quiet AS quiet_at
      FROM (
$subjects
      ) s CROSS JOIN LATERAL unnest(s.scope) r
  ) l
 WHERE l.quiet_at IS NULL OR l.first_at < l.quiet_at
