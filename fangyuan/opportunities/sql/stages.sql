-- Stage by stage, of the deals that may be seen: what stands there now, and how long and with what
-- outcome others stood there who entered since a day and have left again.
WITH seen (id, stage_id, outcome, amount, closed_at) AS ({rows}), spent AS (
  SELECT t.stage_id, count(*) AS gone,
         count(*) FILTER (WHERE n.seq > s.seq OR (t.left_at IS NULL AND o.outcome = 'WON')) AS on_,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY d.days) AS middle,
         percentile_cont(0.9) WITHIN GROUP (ORDER BY d.days) AS late
    FROM opportunities_stageentry t JOIN seen o ON o.id = t.subject_id
    JOIN opportunities_stage s ON s.id = t.stage_id
    LEFT JOIN opportunities_stage n ON n.id = t.left_to_id
   CROSS JOIN LATERAL (
         SELECT extract(epoch FROM coalesce(t.left_at, o.closed_at) - t.entered_at) / 86400 AS days) d
   WHERE t.subject_type = 'opportunity' AND t.removed_at IS NULL AND t.entered_at >= %(since)s
     AND d.days IS NOT NULL
   GROUP BY 1
), standing AS (
  SELECT o.stage_id, count(*) AS number, sum(o.amount) AS amount,
         count(*) FILTER (WHERE t.entered_at <= %(stalled)s) AS stalled
    FROM seen o LEFT JOIN opportunities_stageentry t ON t.subject_type = 'opportunity'
         AND t.subject_id = o.id AND t.left_at IS NULL AND t.removed_at IS NULL
   WHERE o.outcome = 'OPEN' GROUP BY 1
)
SELECT s.id, coalesce(standing.number, 0), coalesce(standing.amount, 0), coalesce(standing.stalled, 0),
       coalesce(spent.gone, 0), coalesce(spent.on_, 0), spent.middle, spent.late
  FROM opportunities_stage s LEFT JOIN standing ON standing.stage_id = s.id
  LEFT JOIN spent ON spent.stage_id = s.id
 WHERE s.removed_at IS NULL AND s.owner_record = 'OPPORTUNITY' AND s.pipeline_id = %(pipeline)s
 ORDER BY s.seq
