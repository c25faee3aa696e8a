later AS MATERIALIZED (
  -- What became of the columns since, from the log of each record.
  SELECT x.record_id, e.id, d.key, d.value -> 0 AS was
    FROM (SELECT DISTINCT record_id FROM pass) x
         CROSS JOIN LATERAL (
           SELECT e.id, e.diff FROM core_event e
            WHERE e.record = '$record' AND e.record_id = x.record_id AND e.op = 'U'
              AND e.diff ?| $columns) e
         CROSS JOIN LATERAL jsonb_each(e.diff) d
   WHERE d.key = ANY ($columns)
), undone AS (
  SELECT x.place, jsonb_object_agg(x.key, x.was) FILTER (WHERE x.is_after) AS after,
         jsonb_object_agg(x.key, x.was) FILTER (WHERE NOT x.is_after) AS before
    FROM ((SELECT DISTINCT ON (p.place, l.key) p.place, true AS is_after, l.key, l.was
             FROM pass p JOIN later l ON l.record_id = p.record_id AND l.id > p.event_id
            ORDER BY p.place, l.key, l.id)
          UNION ALL
          (SELECT DISTINCT ON (p.place, l.key) p.place, false, l.key, l.was
             FROM pass p JOIN later l ON l.record_id = p.record_id AND l.id >= p.first_id
            ORDER BY p.place, l.key, l.id)) x
   GROUP BY 1
)