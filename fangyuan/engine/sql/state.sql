-- From the facts of one rule to the rows of its ledger. Several states may fit; the first one wins.
SELECT $rule AS rule_id, '$record'::varchar(40) AS subject_type, s.subject_id, s.occurrence,
       s.began_on, s.began_at, s.person_id, s.due_at,
       CASE WHEN s.state <> 'VOID' THEN s.met_at END AS met_at,
       s.state::varchar(8) AS state,
       CASE WHEN s.told_late OR s.is_guess OR s.state IN ('VOID', 'WAIVED')
            THEN jsonb_strip_nulls(jsonb_build_object(
                   'told_late', nullif(s.told_late, false), 'imported', nullif(s.imported, false),
                   'provisional', nullif(s.is_guess, false),
                   'left_at', CASE WHEN s.state = 'VOID' THEN s.left_at END,
                   'waiver', CASE WHEN s.state = 'WAIVED' THEN s.waiver_id END))
            -- Made once, not for each of the millions of rows of an imported history.
            WHEN s.imported THEN '{"imported": true}' ELSE '{}' END AS cause,
       -- Time alone changes it then. A provisional due time waits for its calendar instead.
       least(CASE WHEN s.state = 'OPEN' AND NOT s.is_guess THEN s.due_at END,
             s.turns_at) AS wakes_at
  FROM (
    SELECT f.*, w.waiver_id,
           CASE WHEN f.left_at IS NOT NULL AND (f.met_at IS NULL OR f.met_at >= f.left_at) THEN 'VOID'
                WHEN f.met_at <= f.due_at THEN 'MET'
                WHEN w.waiver_id IS NOT NULL THEN 'WAIVED'
                WHEN f.met_at IS NOT NULL THEN 'LATE'
                WHEN $is_past AND NOT f.is_guess THEN 'BREACHED'
                ELSE 'OPEN' END AS state
      FROM ($facts) f
           LEFT JOIN LATERAL ($waiver) w ON true
  ) s
