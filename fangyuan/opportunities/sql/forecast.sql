-- What is forecast and signed, per person, period and category; an open deal whose day has passed
-- the first period is late, one without a day is undated. The rows are the deals that may be seen.
SELECT h.person_id, d.period, d.category, count(*), coalesce(sum(o.amount), 0),
       coalesce(sum(CASE WHEN o.outcome = 'WON' THEN o.amount ELSE o.amount * o.win_rate / 100 END), 0)
  FROM ({rows}) o (id, outcome, closed_at, expected_on, forecast, amount, win_rate)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN o.outcome = 'WON' THEN 'WON' ELSE o.forecast END AS category,
              CASE WHEN o.outcome = 'WON'
                   THEN date_trunc(%(per)s, o.closed_at AT TIME ZONE %(zone)s)::date::text
                   WHEN o.expected_on IS NULL THEN 'undated'
                   WHEN o.expected_on < %(late)s THEN 'late'
                   ELSE date_trunc(%(per)s, o.expected_on::timestamp)::date::text END AS period) d
  LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
       AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
 GROUP BY 1, 2, 3
