-- 频率: one row for each period that binds a record, with the event that decided it, if any.
WITH subject AS MATERIALIZED (
  -- subject_id, known_at, imported_at, own_id, held_type, held_id, scope
$subjects
), period AS (
  SELECT p.*, '$per:' || p.first AS occurrence
    FROM unnest($firsts, $starts, $ends, $dues, $guesses)
         AS p (first, starts_at, ends_at, due_at, is_guess)
), event AS (
  -- Events of the kind counted, by record and period; `at` is that of the deciding one.
  SELECT e.subject_id, e.key, $nth AS at
    FROM ($events) e
   GROUP BY e.subject_id, e.key
), bound AS (
  SELECT s.*, p.starts_at, p.ends_at, p.due_at, p.is_guess, p.first, p.occurrence,
         $entered AS entered_at
    FROM subject s JOIN period p ON $binds
), judged AS (
  SELECT b.*, b.starts_at AS began_at, b.ends_at AS answers_at,
         -- An act at the very instant a cadence falls due is too late.
         CASE WHEN $decided < b.due_at THEN $decided END AS met_at,
         CASE WHEN b.is_one THEN upper(b.scope)
              ELSE (SELECT upper(r) FROM unnest(b.scope) r WHERE r @> b.entered_at) END AS gone_at
    FROM bound b LEFT JOIN event e ON e.subject_id = b.subject_id AND e.key = b.$key
   WHERE b.entered_at IS NOT NULL
)
