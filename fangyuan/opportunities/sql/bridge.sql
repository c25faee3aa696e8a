-- From a snapshot to now: what became of every open deal that is or was expected in a period, some
-- people's or everybody's. Each kind comes with its sums; of the deals themselves only those whose
-- figures moved most, and one of each kind to carry its sums.
WITH moved AS (
  SELECT m.kind, o.id, t.amount AS was, o.amount AS now, t.expected_on AS was_on,
         o.expected_on AS now_on, m.moved, CASE WHEN x.was THEN x.before ELSE 0 END AS before
    FROM ({rows}) o (id, outcome, closed_at, expected_on, forecast, amount, win_rate)
    LEFT JOIN opportunities_snapshot t ON t.opportunity_id = o.id AND t.taken_on = %(day)s
   CROSS JOIN LATERAL (
         SELECT coalesce(t.expected_on >= %(first)s AND t.expected_on < %(after)s
                         AND t.forecast <> 'OMITTED', false) AS was,
                coalesce(o.outcome = 'OPEN' AND o.forecast <> 'OMITTED'
                         AND o.expected_on >= %(first)s AND o.expected_on < %(after)s, false) AS stays,
                coalesce(t.amount, 0) AS before, coalesce(o.amount, 0) AS now) x
   CROSS JOIN LATERAL (
         SELECT CASE WHEN x.was AND x.stays AND x.now > x.before THEN 'GROWN'
                     WHEN x.was AND x.stays AND x.now < x.before THEN 'SHRUNK'
                     WHEN x.was AND x.stays THEN 'SAME'
                     WHEN x.was AND o.outcome = 'WON' THEN 'WON'
                     WHEN x.was AND o.outcome <> 'OPEN' THEN 'LOST'
                     WHEN x.was THEN 'OUT'
                     WHEN t.id IS NOT NULL THEN 'IN'
                     ELSE 'NEW' END AS kind,
                CASE WHEN x.stays THEN x.now ELSE 0 END - CASE WHEN x.was THEN x.before ELSE 0 END
                AS moved) m
    LEFT JOIN org_holding h ON h.subject_type = 'opportunity' AND h.subject_id = o.id
         AND h.role = 'OWNER' AND h.removed_at IS NULL AND h.ends_at IS NULL
   WHERE (x.was OR x.stays) AND (%(people)s::bigint[] IS NULL OR h.person_id = ANY (%(people)s))
), placed AS (
  SELECT moved.*, count(*) OVER mine AS number, sum(moved) OVER mine AS total,
         sum(before) OVER mine AS base, row_number() OVER (PARTITION BY kind ORDER BY id) AS nth,
         row_number() OVER (ORDER BY kind = 'SAME', abs(moved) DESC, id) AS place
    FROM moved WINDOW mine AS (PARTITION BY kind)
)
SELECT kind, id, was, now, was_on, now_on, moved, place, number, total, base
  FROM placed WHERE (place <= %(most)s AND kind <> 'SAME') OR nth = 1 ORDER BY place
