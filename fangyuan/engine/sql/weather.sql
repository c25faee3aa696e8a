-- By person and due day: duties open now, and those that coming periods of cadences will give,
-- as many as the running period gave the same person.
WITH due AS (
  SELECT t.person_id, t.due_on, NULL::timestamptz AS answers_at, t.number AS known, 0 AS coming
    FROM engine_tally t
   WHERE t.state = 'OPEN' AND t.due_on BETWEEN %(today)s::date AND %(last)s::date
     AND $whose
  UNION ALL
  SELECT t.person_id, c.due_on, c.answers_at, 0, t.number
    FROM unnest(%(rules)s::bigint[], %(like_on)s::date[], %(due_on)s::date[],
                %(answers_at)s::timestamptz[]) AS c (rule_id, like_on, due_on, answers_at)
    JOIN engine_tally t ON t.rule_id = c.rule_id AND t.due_on = c.like_on
   WHERE t.state NOT IN ('VOID', 'WAIVED')
     AND $whose
)
SELECT person_id, due_on, answers_at, sum(known), sum(coming) FROM due
 GROUP BY 1, 2, 3 HAVING sum(known) + sum(coming) > 0
