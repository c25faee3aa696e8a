-- Month by month: what the snapshot at its beginning expected of it, and what was signed in it.
WITH seen (id) AS ({rows}), told AS (
  SELECT date_trunc('month', s.taken_on::timestamp)::date AS month,
         sum(s.amount * s.win_rate / 100) AS weighted,
         sum(s.amount) FILTER (WHERE s.forecast = 'COMMIT') AS commit,
         sum(s.amount) FILTER (WHERE s.forecast IN ('COMMIT', 'BEST')) AS best
    FROM opportunities_snapshot s JOIN seen ON seen.id = s.opportunity_id
   WHERE s.is_opening AND s.forecast <> 'OMITTED' AND s.taken_on >= %(since)s
     AND date_trunc('month', s.expected_on::timestamp) = date_trunc('month', s.taken_on::timestamp)
     AND (%(people)s::bigint[] IS NULL OR s.person_id = ANY (%(people)s))
   GROUP BY 1
), won AS (
  SELECT date_trunc('month', o.closed_at AT TIME ZONE %(zone)s)::date AS month, sum(o.amount) AS won
    FROM opportunities_opportunity o JOIN seen USING (id)
    LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
         AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
   WHERE o.outcome = 'WON' AND o.closed_at >= %(from)s
     AND (%(people)s::bigint[] IS NULL OR h.person_id = ANY (%(people)s))
   GROUP BY 1
)
SELECT month, told.weighted, told.commit, told.best, won.won
  FROM told FULL JOIN won USING (month) ORDER BY month
