-- The columns as they stood after and before each pass, where they have changed since: for each the
-- first value that a later event replaced.
UPDATE engine_pass p
   SET after = coalesce(u.after, '{}') || p.after, before = coalesce(u.before, '{}')
  FROM (
    WITH later AS MATERIALIZED (
      SELECT e.record_id, e.id, d.key, d.value -> 0 AS was
        FROM core_event e CROSS JOIN LATERAL jsonb_each(e.diff) d
       WHERE e.record = '$record' AND e.op = 'U' AND e.diff ?| $columns AND d.key = ANY ($columns)
         AND e.record_id IN (SELECT record_id FROM engine_pass)
    )
    SELECT x.place, jsonb_object_agg(x.key, x.was) FILTER (WHERE x.is_after) AS after,
           jsonb_object_agg(x.key, x.was) FILTER (WHERE NOT x.is_after) AS before
      FROM ((SELECT DISTINCT ON (p.place, l.key) p.place, true AS is_after, l.key, l.was
               FROM engine_pass p JOIN later l ON l.record_id = p.record_id AND l.id > p.event_id
              ORDER BY p.place, l.key, l.id)
            UNION ALL
            (SELECT DISTINCT ON (p.place, l.key) p.place, false, l.key, l.was
               FROM engine_pass p JOIN later l ON l.record_id = p.record_id AND l.id >= p.first_id
              ORDER BY p.place, l.key, l.id)) x
     GROUP BY 1) u
 WHERE u.place = p.place
