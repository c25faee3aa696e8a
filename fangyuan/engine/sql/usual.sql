-- By person and weekday: how many duties such a working day of the last quarter had, in the middle
-- (month ends would carry a mean away). What was due on a day off counts on the last working day
-- before; days without a duty count as none.
WITH counted AS MATERIALIZED (
  SELECT t.person_id, t.due_on, sum(t.number) AS number FROM engine_tally t
   WHERE t.due_on >= %(since)s::date AND t.due_on < %(today)s::date
     AND t.state IN ('MET', 'LATE', 'BREACHED', 'OPEN') AND $whose
   GROUP BY 1, 2
), day AS (
  SELECT w."on" AS due_on, e."on", extract(isodow FROM e."on")::int AS weekday
    FROM core_workday w JOIN core_workday e ON e.is_working AND e.nth = w.nth
   WHERE w."on" >= %(since)s::date AND w."on" < %(today)s::date
     AND e."on" >= %(since)s::date - 14 AND e."on" < %(today)s::date
), worked AS (
  SELECT extract(isodow FROM "on")::int AS weekday, count(*) AS number FROM core_workday
   WHERE is_working AND "on" >= %(since)s::date AND "on" < %(today)s::date GROUP BY 1
), daily AS (
  SELECT c.person_id, d.weekday, d."on", sum(c.number) AS number
    FROM counted c JOIN day d ON d.due_on = c.due_on
   GROUP BY 1, 2, 3
)
SELECT d.person_id, d.weekday,
       coalesce((array_agg(d.number ORDER BY d.number))
                [greatest((max(k.number) + 1) / 2 - (max(k.number) - count(*)), 0)], 0)
  FROM daily d JOIN worked k ON k.weekday = d.weekday
 GROUP BY 1, 2
