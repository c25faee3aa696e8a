-- Every save that touched one of the columns; what was brought in counts as one, when it began.
INSERT INTO engine_pass
SELECT row_number() OVER (), x.event_id, x.first_id, NULL, x.at, x.person_id, x.record_id, x.is_new,
       '{}', '{}'
  FROM (
    SELECT max(e.id) AS event_id, min(e.id) AS first_id, min(e.at) AS at,
           nullif(max(e.actor), 0) AS person_id, e.record_id, bool_or(e.op = 'C') AS is_new
      FROM core_event e JOIN "$table" s ON s.id = e.record_id
     WHERE e.record = '$record' AND e.at >= $starts AND e.at < $ends
       AND (e.op = 'C' AND s.imported_at IS NULL OR e.op = 'U' AND e.diff ?| $columns)
     GROUP BY e.record_id, e.xid
    UNION ALL
    SELECT 0, 1, $begun, $person, s.id, true
      FROM "$table" s
     WHERE s.imported_at IS NOT NULL AND $begun >= $starts AND $begun < $ends) x
