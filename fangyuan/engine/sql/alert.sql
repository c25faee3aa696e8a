-- 预警: one row for each episode, from the instant it was raised to the one at which it cleared.
WITH lit AS (
$lit
), marked AS (
  -- It goes on unless the condition was false for as long as the rule says.
  SELECT l.*, coalesce(l.first_at >= lag(l.clears_at) OVER w
                       AND l.first_at > lag(l.quiet_at) OVER w, true) AS is_new
    FROM lit l
   WHERE l.first_at <= $now
  WINDOW w AS (PARTITION BY l.subject_id ORDER BY l.first_at)
), numbered AS (
  SELECT m.*, count(*) FILTER (WHERE m.is_new)
              OVER (PARTITION BY m.subject_id ORDER BY m.first_at) AS episode
    FROM marked m
), raised AS (
  SELECT n.subject_id, n.own_id, n.held_type, n.held_id, n.imported_at,
         min(n.first_at) AS began_at, greatest(min(n.first_at), n.known_at) AS known_at,
         max(n.clears_at) FILTER (WHERE n.clears_at <= $now) AS last_clears_at,
         bool_or(n.clears_at IS NULL OR n.clears_at > $now) AS is_going
    FROM numbered n
   GROUP BY n.subject_id, n.own_id, n.held_type, n.held_id, n.imported_at, n.known_at, n.episode
), judged AS (
  SELECT r.*, r.began_at AS answers_at, r.began_at AS due_at, engine_said(r.began_at) AS occurrence,
         CASE WHEN NOT r.is_going THEN r.last_clears_at END AS met_at,
         NULL::timestamptz AS gone_at, false AS is_guess
    FROM raised r
)
