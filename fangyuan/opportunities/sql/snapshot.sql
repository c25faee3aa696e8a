-- Every open opportunity as it is forecast today, with who answers for it.
INSERT INTO opportunities_snapshot (taken_on, is_opening, opportunity_id, person_id, stage_id, amount,
       expected_on, win_rate, forecast)
SELECT %(day)s, %(is_opening)s, o.id, h.person_id, o.stage_id, o.amount, o.expected_on, o.win_rate,
       o.forecast
  FROM opportunities_opportunity o
  LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
       AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
 WHERE o.outcome = 'OPEN' AND o.removed_at IS NULL
    ON CONFLICT (taken_on, opportunity_id) DO NOTHING
