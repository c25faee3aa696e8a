-- Of the closed deals that were in a stage, how many were won: of all that may be seen, and of some.
WITH seen (id) AS ({rows}), ended AS (
  SELECT o.id, o.outcome = 'WON' AS won,
         coalesce(h.person_id = ANY (%(people)s), false) AS mine
    FROM opportunities_opportunity o JOIN seen USING (id)
    LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
         AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
   WHERE o.outcome <> 'OPEN' AND o.closed_at >= %(from)s
)
SELECT s.id, count(DISTINCT e.id), count(DISTINCT e.id) FILTER (WHERE e.won),
       count(DISTINCT e.id) FILTER (WHERE e.mine),
       count(DISTINCT e.id) FILTER (WHERE e.mine AND e.won)
  FROM opportunities_stage s
  LEFT JOIN opportunities_stageentry t ON t.stage_id = s.id AND t.subject_type = 'opportunity'
       AND t.removed_at IS NULL
  LEFT JOIN ended e ON e.id = t.subject_id
 WHERE s.removed_at IS NULL AND s.owner_record = 'OPPORTUNITY'
 GROUP BY s.id
