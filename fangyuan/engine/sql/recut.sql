-- The ledger as today's facts say it was at an instant, to stand in place of engine_obligation.
SELECT o.id, o.rule_id, o.subject_type, o.subject_id, o.occurrence, o.began_on, o.began_at,
       o.person_id, o.due_at, CASE WHEN o.met_at <= $at THEN o.met_at END AS met_at,
       CASE WHEN (o.cause ->> 'left_at')::timestamptz <= $at THEN 'VOID'
            WHEN w.starts_at <= $at THEN 'WAIVED'
            WHEN o.met_at <= $at THEN o.state
            WHEN (CASE WHEN r.kind = 'CADENCE' THEN $at >= o.due_at ELSE $at > o.due_at END)
                 AND NOT o.cause ? 'provisional' THEN 'BREACHED'
            ELSE 'OPEN' END AS state,
       o.cause, o.entered_at, o.person_id AS person_now_id
  FROM engine_obligation o
       JOIN engine_rule r ON r.id = o.rule_id
       LEFT JOIN engine_waiver w ON w.id = (o.cause ->> 'waiver')::bigint
 -- What begins at the very instant is not there before it: at 24:00 the next day's duties are not.
 WHERE engine_shown_at(o.began_at, o.due_at, o.occurrence) < $at
   AND (o.state <> 'VOID' OR o.cause ? 'left_at')
