-- Who answers, at the deciding instant of each row of `judged`; the end of every kind's statement.
, held AS (
  -- Whoever held it just before the instant; only where nobody did, whoever begins at it.
  SELECT j.*, $holder AS holder_id, $holding_since AS holding_since, $role AS role
    FROM judged j
         $holders
), halved AS (
  -- A cadence asks for at least half of the elapsed period; only a handover within it can matter.
  SELECT h.*, $is_enough AS is_enough, $turns_at AS turns_at
    FROM held h
         $halves
), led AS (
  SELECT h.*, $leader AS leader_id
    FROM halved h
), owing AS (
  SELECT l.*, $owing AS owing_id
    FROM led l
         $above
)
SELECT o.subject_id, o.occurrence,
       (o.began_at AT TIME ZONE '$zone')::date AS began_on, o.began_at,
       CASE WHEN NOT o.is_enough THEN NULL
            WHEN l.id IS NULL THEN o.owing_id
            ELSE engine_stand_in(o.owing_id, o.answers_at) END AS person_id,
       o.due_at, o.met_at, o.is_guess,
       -- Out of scope before the due time, as known by now.
       CASE WHEN o.gone_at < o.due_at AND o.gone_at <= $now THEN o.gone_at END AS left_at,
       o.known_at > o.due_at AS told_late,
       coalesce(o.imported_at >= o.due_at, false) AS imported,
       o.turns_at, o.known_at
  FROM owing o
       -- Absent on (start, end]; one's own deeds are not passed on.
       LEFT JOIN org_leave l ON $passes_on AND l.person_id = o.owing_id AND l.stage = 'APPROVED'
            AND l.removed_at IS NULL AND l.starts_at < o.answers_at AND l.ends_at >= o.answers_at
