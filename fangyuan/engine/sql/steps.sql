-- Every time a step was taken, asked for, or told by history.
INSERT INTO engine_pass
WITH done AS (
  -- One deed may write a record more than once; its last word counts.
  SELECT max(e.id) AS event_id, NULL::bigint AS request_id, min(e.at) AS at,
         nullif(max(e.actor), 0) AS person_id, e.record_id, '{}'::jsonb AS asked
    FROM core_event e
   WHERE e.record = '$record' AND $is_step AND e.at >= $starts AND e.at < $ends
   GROUP BY e.record_id, e.xid
), requested AS (
  SELECT coalesce((SELECT max(e.id) FROM core_event e WHERE e.record = '$record'
                      AND e.record_id = q.subject_id AND e.at <= q.$when), 0) AS event_id,
         q.id, q.$when AS at, q.asked_by_id, q.subject_id,
         coalesce((SELECT jsonb_object_agg(
                     k.key || CASE WHEN k.value @? '$$.record' THEN '_id' ELSE '' END,
                     CASE jsonb_typeof(k.value)
                     WHEN 'object' THEN coalesce(k.value -> 'at', k.value -> 'on',
                       k.value -> 'amount', k.value -> 'record' -> 1)
                     ELSE k.value END) FROM jsonb_each(q.payload) k), '{}')
    FROM engine_request q
   WHERE q.action = $action AND q.subject_type = '$record' AND q.removed_at IS NULL
     AND $is_asked AND q.$when >= $starts AND q.$when < $ends
), told AS (
  SELECT 0::bigint, NULL::bigint, t.at, t.person_id, t.record_id, '{}'::jsonb
    FROM ($told) t (record_id, at, person_id)
   WHERE t.at >= $starts AND t.at < $ends
     AND NOT EXISTS (SELECT FROM done d WHERE d.record_id = t.record_id)
     AND NOT EXISTS (SELECT FROM requested r WHERE r.subject_id = t.record_id)
)
SELECT row_number() OVER (), x.event_id, x.event_id + 1, x.request_id, x.at, x.person_id,
       x.record_id, false, x.asked, '{}'
  FROM (SELECT * FROM done UNION ALL SELECT * FROM requested UNION ALL SELECT * FROM told) x
