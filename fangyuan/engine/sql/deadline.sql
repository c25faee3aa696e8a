-- 期限: one row for each time `on` happened to a record that was in scope at that instant.
WITH subject AS MATERIALIZED (
  -- subject_id, known_at, imported_at, on_at, until_at, own_id, held_type, held_id, scope
$subjects
), begun AS (
  -- The same with occurrence and began_at: one a field, one an event of a stream.
$begun
), counted AS (
  SELECT b.*, $met AS done_at, $due AS $due_at, $guess AS $is_guess
    FROM begun b
         $calendar
   WHERE b.began_at <= $now AND $in_force AND b.scope @> b.began_at
)$extended, judged AS (
  SELECT c.*,
         CASE WHEN c.done_at <= $now THEN c.done_at END AS met_at,
         CASE WHEN c.is_one THEN upper(c.scope)
              ELSE (SELECT upper(r) FROM unnest(c.scope) r WHERE r @> c.began_at) END AS gone_at,
         CASE WHEN c.done_at <= c.due_at AND c.done_at <= $now THEN c.done_at
              ELSE c.due_at END AS answers_at
    FROM $dated c
   WHERE c.due_at IS NOT NULL
)
