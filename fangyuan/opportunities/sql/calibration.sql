-- Of the closed deals that were in a stage, how many were won: of all that may be seen, and of some.
WITH seen (id) AS ({rows}), ended AS (
  SELECT o.id, o.outcome = 'WON' AS won,
         coalesce(h.person_id = ANY (%(people)s), false) AS mine
    FROM opportunities_opportunity o JOIN seen USING (id)
    LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
         AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
   WHERE o.outcome <> 'OPEN' AND o.closed_at >= %(from)s
)
SELECT t.stage_id, count(DISTINCT e.id), count(DISTINCT e.id) FILTER (WHERE e.won),
       count(DISTINCT e.id) FILTER (WHERE e.mine),
       count(DISTINCT e.id) FILTER (WHERE e.mine AND e.won)
  FROM ended e
  JOIN opportunities_stageentry t ON t.subject_type = 'opportunity' AND t.subject_id = e.id
       AND t.removed_at IS NULL
 GROUP BY 1
