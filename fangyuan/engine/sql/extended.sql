, extended AS (
  -- Leave moves the due time by the working days of it, from the day after the beginning to the
  -- first due day, of whoever answers then; leave after that moves it no further.
  SELECT c.*, c.first_due_at + coalesce(m."on" - l."on", 0) * interval '24 hours' AS due_at,
         c.first_guess OR m.unknown > b.unknown IS TRUE AS is_guess
    FROM counted c
    JOIN (
WITH judged AS (
  SELECT c.*, c.first_due_at AS due_at, c.first_due_at AS answers_at, c.first_guess AS is_guess,
         NULL::timestamptz AS met_at, NULL::timestamptz AS gone_at
    FROM counted c
)
$answer
    ) a ON a.subject_id = c.subject_id AND a.occurrence = c.occurrence
    JOIN core_workday b ON b."on" = (c.began_at AT TIME ZONE '$zone')::date
         -- 00:00 is 24:00 of the day before.
    JOIN core_workday l
      ON l."on" = ((c.first_due_at - interval '1 microsecond') AT TIME ZONE '$zone')::date
   CROSS JOIN LATERAL (
         SELECT count(*) AS away FROM core_workday w
          WHERE w.is_working AND w."on" > b."on" AND w."on" <= l."on"
            AND EXISTS (SELECT FROM org_leave v
                         WHERE v.person_id = a.person_id AND v.stage = 'APPROVED'
                           AND v.removed_at IS NULL
                           AND v.starts_at < (w."on" + 1)::timestamp AT TIME ZONE '$zone'
                           AND v.ends_at > w."on"::timestamp AT TIME ZONE '$zone')) x
    LEFT JOIN core_workday m ON x.away > 0 AND m.is_working AND m.nth = l.nth + x.away
)
