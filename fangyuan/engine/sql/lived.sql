-- By rule over the last days: met, missed, waived, open, owed by nobody, due on a day off, all.
SELECT t.rule_id,
       sum(t.number) FILTER (WHERE t.state = 'MET' AND t.due_on <= %(today)s),
       sum(t.number) FILTER (WHERE t.state IN ('LATE', 'BREACHED')),
       sum(t.number) FILTER (WHERE t.state = 'WAIVED'),
       sum(t.number) FILTER (WHERE t.state = 'OPEN'),
       sum(t.number) FILTER (WHERE t.person_id IS NULL),
       sum(t.number) FILTER (WHERE NOT w.is_working),
       sum(t.number) FILTER (WHERE t.state <> 'OPEN')
  FROM engine_tally t JOIN core_workday w ON w."on" = t.due_on
 WHERE t.state <> 'VOID' AND t.number > 0
   AND (t.due_on >= %(since)s::date OR t.state = 'OPEN')
 GROUP BY t.rule_id
