-- Episodes that the facts no longer give go, as of the instant they were raised; the rest is kept.
UPDATE engine_alert a SET removed_at = raised_at, changed_at = now()
 WHERE a.rule_id = $rule AND a.removed_at IS NULL AND $picked
   AND NOT EXISTS (SELECT FROM engine_episode e
                    WHERE e.subject_id = a.subject_id AND e.raised_at = a.raised_at)
RETURNING a.id;
WITH want AS (
  SELECT e.subject_id, e.raised_at, min(e.cleared_at) AS cleared_at, min(e.known_at) AS known_at,
         min(e.person_id) FILTER (WHERE e.place = 0) AS person_id,
         coalesce(array_agg(DISTINCT e.person_id ORDER BY e.person_id)
                  FILTER (WHERE e.place > 0 AND e.person_id IS NOT NULL), '{}') AS also_told
    FROM engine_episode e GROUP BY 1, 2
)
UPDATE engine_alert a
   SET cleared_at = w.cleared_at, known_at = w.known_at, person_id = w.person_id,
       also_told = w.also_told, removed_at = NULL, changed_at = now()
  FROM want w
 WHERE a.rule_id = $rule AND $picked
   AND a.subject_id = w.subject_id AND a.raised_at = w.raised_at
   AND (a.cleared_at, a.known_at, a.person_id, a.also_told, a.removed_at)
       IS DISTINCT FROM (w.cleared_at, w.known_at, w.person_id, w.also_told, NULL)
RETURNING a.id;
WITH born AS MATERIALIZED (
  SELECT e.subject_id, e.raised_at, min(e.known_at) AS known_at, min(e.cleared_at) AS cleared_at,
         min(e.person_id) FILTER (WHERE e.place = 0) AS person_id,
         coalesce(array_agg(DISTINCT e.person_id ORDER BY e.person_id)
                  FILTER (WHERE e.place > 0 AND e.person_id IS NOT NULL), '{}') AS also_told
    FROM engine_episode e
   WHERE NOT EXISTS (SELECT FROM engine_alert a WHERE a.rule_id = $rule AND $picked
                        AND a.subject_id = e.subject_id AND a.raised_at = e.raised_at)
   GROUP BY e.subject_id, e.raised_at
), hit AS (
$hits
)
INSERT INTO engine_alert (rule_id, subject_type, subject_id, raised_at, known_at, cleared_at,
                          measured, person_id, also_told, outcome)
SELECT $rule, '$record', b.subject_id, b.raised_at, b.known_at, b.cleared_at,
       coalesce(h.said, '{}'), b.person_id, b.also_told, ''
  FROM born b LEFT JOIN hit h ON h.subject_id = b.subject_id AND h.raised_at = b.raised_at
RETURNING id
