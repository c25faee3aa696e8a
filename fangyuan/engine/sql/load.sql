-- By cadence: people, periods, the most that anybody did in one, what half of them owed at least,
-- shares of people in a period, and how many of those were more than anybody ever did.
WITH share AS (
  SELECT rule_id, person_id, due_on, sum(number) AS owed,
         coalesce(sum(number) FILTER (WHERE state = 'MET'), 0) AS met
    FROM engine_tally
   WHERE rule_id = ANY (%(rules)s) AND person_id IS NOT NULL AND number > 0
     AND due_on >= %(since)s::date AND due_on < %(today)s::date
     AND state NOT IN ('VOID', 'WAIVED')
   GROUP BY 1, 2, 3
), best AS (
  SELECT rule_id, max(met) AS most FROM share GROUP BY 1
)
SELECT s.rule_id, count(DISTINCT s.person_id), count(DISTINCT s.due_on), b.most,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY s.owed),
       count(*) FILTER (WHERE s.owed > b.most), count(*)
  FROM share s JOIN best b USING (rule_id)
 GROUP BY s.rule_id, b.most
