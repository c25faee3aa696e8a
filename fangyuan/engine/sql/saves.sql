-- Every save that touched one of the columns, with the record as it stood after and before it.
INSERT INTO engine_pass
WITH pass AS (
  SELECT row_number() OVER () AS place, x.* FROM (
    SELECT max(e.id) AS event_id, min(e.id) AS first_id, min(e.at) AS at,
           nullif(max(e.actor), 0) AS person_id, e.record_id, bool_or(e.op = 'C') AS is_new
      FROM core_event e JOIN "$table" s ON s.id = e.record_id
     WHERE e.record = '$record' AND e.at >= $starts AND e.at < $ends
       AND (e.op = 'C' AND s.imported_at IS NULL OR e.op = 'U' AND e.diff ?| $columns)
     GROUP BY e.record_id, e.xid
    UNION ALL
    -- What was brought in counts as one save, when it began, as it came.
    SELECT 0, 1, $begun, $person, s.id, true
      FROM "$table" s
     WHERE s.imported_at IS NOT NULL AND $begun >= $starts AND $begun < $ends) x
), $undone
SELECT p.place, NULL, p.at, p.person_id, p.record_id, p.is_new, coalesce(u.after, '{}'),
       coalesce(u.before, '{}')
  FROM pass p LEFT JOIN undone u USING (place)
