-- Where the tallies are not what the ledger itself counts: as kept, and as counted.
SELECT coalesce(c.rule_id, t.rule_id) AS rule_id, coalesce(c.person_id, t.person_id) AS person_id,
       coalesce(c.due_on, t.due_on) AS due_on, coalesce(c.state, t.state) AS state,
       coalesce(t.number, 0) AS kept, coalesce(c.number, 0) AS counted
  FROM (SELECT rule_id, person_id, engine_due_on(due_at) AS due_on, state, count(*) AS number
          FROM engine_obligation GROUP BY 1, 2, 3, 4) c
  FULL JOIN engine_tally t
    ON (t.rule_id, t.due_on, t.state, coalesce(t.person_id, 0))
     = (c.rule_id, c.due_on, c.state, coalesce(c.person_id, 0))
 WHERE coalesce(t.number, 0) <> coalesce(c.number, 0)
