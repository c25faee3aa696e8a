-- How the tallies came to be before the ledger was kept, from what it knew when it began.
WITH alike AS (
  -- Few differ in what matters here, and what follows costs for each.
  SELECT rule_id, person_id, due_at, state, began_on, engine_due_on(met_at) AS met_on, cause,
         CASE WHEN due_at <= began_at THEN began_at END AS began_at,
         CASE WHEN due_at <= began_at THEN occurrence END AS occurrence, count(*) AS n
    FROM engine_obligation WHERE state <> 'VOID' OR cause ? 'left_at'
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), duty AS (
  SELECT a.rule_id, a.person_id, engine_due_on(a.due_at) AS due_on, a.state, a.n,
         coalesce((engine_shown_at(a.began_at, a.due_at, a.occurrence) AT TIME ZONE '$zone')::date,
                  a.began_on) AS shown_on,
         -- The first day at whose end it is red: a cadence at the very instant, others after it,
         -- and never while its calendar is a guess.
         CASE WHEN a.cause ? 'provisional' THEN a.met_on
              WHEN r.kind = 'CADENCE' THEN engine_due_on(a.due_at)
              ELSE (a.due_at AT TIME ZONE '$zone')::date END AS red_on,
         CASE a.state WHEN 'VOID' THEN engine_due_on((a.cause ->> 'left_at')::timestamptz)
                      WHEN 'WAIVED' THEN engine_due_on(w.starts_at) ELSE a.met_on END AS done_on
    FROM alike a
         JOIN engine_rule r ON r.id = a.rule_id
         LEFT JOIN engine_waiver w ON w.id = (a.cause ->> 'waiver')::bigint
), turn AS (
  -- Where it went from being open, if anywhere; what is late was red in between.
  SELECT d.*, CASE state WHEN 'LATE' THEN 'BREACHED' ELSE state END AS first,
         CASE WHEN state IN ('LATE', 'BREACHED') THEN greatest(shown_on, red_on)
              WHEN state <> 'OPEN' THEN greatest(shown_on, done_on) END AS first_on,
         CASE WHEN state = 'LATE' THEN greatest(shown_on, red_on, done_on) END AS last_on
    FROM duty d
), step AS (
  SELECT t.rule_id, t.person_id, t.due_on, s.state, s.known_on, sum(s.n * t.n) AS number
    FROM turn t
   CROSS JOIN LATERAL (VALUES ('OPEN', t.shown_on, 1), ('OPEN', t.first_on, -1),
                              (t.first, t.first_on, 1),
                              ('BREACHED', t.last_on, -1), ('LATE', t.last_on, 1)
                      ) s (state, known_on, n)
   WHERE s.known_on < engine_due_on($now)
   GROUP BY 1, 2, 3, 4, 5 HAVING sum(s.n * t.n) <> 0
), rest AS (
  -- Whatever the days before do not explain is known since the day on which the ledger began.
  SELECT rule_id, person_id, due_on, state, engine_due_on($now) AS known_on, sum(number) AS number
    FROM (SELECT rule_id, person_id, due_on, state, number FROM engine_tally
          UNION ALL
          SELECT rule_id, person_id, due_on, state, -number FROM step) x
   GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
)
INSERT INTO engine_tallymove (rule_id, person_id, due_on, state, known_on, number)
SELECT rule_id, person_id, due_on, state, known_on, number FROM step
UNION ALL
SELECT rule_id, person_id, due_on, state, known_on, number FROM rest
