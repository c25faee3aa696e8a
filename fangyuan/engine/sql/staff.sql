-- Posts that are held, teams with a leader or members, logins that work; how many people there are,
-- how many of them without a superior, how many administrators.
WITH person AS (
  SELECT * FROM org_person WHERE removed_at IS NULL AND account_state <> 'DISABLED'
     AND (left_on IS NULL OR left_on >= current_date)
), post AS (
  SELECT m.person_id, m.team_id, c.code
    FROM org_membership m JOIN person p ON p.id = m.person_id
    JOIN core_term c ON c.key = m.position_id
   WHERE m.removed_at IS NULL AND m.starts_on <= current_date
     AND (m.ends_on IS NULL OR m.ends_on >= current_date)
)
SELECT (SELECT array_agg(DISTINCT code) FROM post),
       (SELECT array_agg(t.code) FROM org_team t
         WHERE t.removed_at IS NULL AND (t.leader_id IN (SELECT id FROM person)
            OR t.id IN (SELECT team_id FROM post))),
       (SELECT array_agg(login) FROM person WHERE login IS NOT NULL),
       (SELECT count(*) FROM person),
       (SELECT count(*) FROM person p WHERE p.manager_id IS NULL
            OR NOT EXISTS (SELECT FROM person m WHERE m.id = p.manager_id)),
       (SELECT count(*) FROM person WHERE is_admin)
