-- One function writes every event. Statement triggers hand it whole batches, so that a bulk write
-- costs one INSERT … SELECT. TG_ARGV: record name, tracked columns, silent columns, birth column.
CREATE OR REPLACE FUNCTION fy_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who     bigint := nullif(current_setting('fangyuan.actor', true), '')::bigint;
  tracked text[] := string_to_array(TG_ARGV[1], ',');
  silent  text[] := string_to_array(TG_ARGV[2], ',')
                    || ARRAY['id', 'recorded_at', 'recorded_by', 'changed_at', 'revision'];
  since   timestamptz := coalesce(nullif(current_setting('fangyuan.since', true), '')::timestamptz, now());
BEGIN
  IF who IS NULL THEN
    RAISE EXCEPTION '没有操作人,拒绝写入 %', TG_ARGV[0] USING ERRCODE = 'FY001';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF EXISTS (SELECT FROM fresh WHERE imported_at IS NULL AND recorded_at <> now()) THEN
      RAISE EXCEPTION '录入时间由数据库写,不能自带(%)', TG_ARGV[0] USING ERRCODE = 'FY002';
    END IF;
    INSERT INTO core_event (actor, action, reason, channel, op, record, record_id, diff, xid)
    SELECT who, fy_said('action'), fy_said('reason'), coalesce(nullif(fy_said('channel'), ''), 'JOB'),
           'C', TG_ARGV[0], f.id, jsonb_strip_nulls(to_jsonb(f) - silent),
           pg_current_xact_id()::text::bigint
      FROM fresh f;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO core_event (actor, action, reason, channel, op, record, record_id, diff, xid)
    SELECT who, fy_said('action'), fy_said('reason'), coalesce(nullif(fy_said('channel'), ''), 'JOB'),
           'D', TG_ARGV[0], s.id, jsonb_strip_nulls(to_jsonb(s) - silent),
           pg_current_xact_id()::text::bigint
      FROM stale s;
  ELSE
    IF EXISTS (SELECT FROM fresh f JOIN stale s USING (id)
                WHERE f.recorded_at <> s.recorded_at AND s.imported_at IS NULL) THEN
      RAISE EXCEPTION '录入时间不能改(%)', TG_ARGV[0] USING ERRCODE = 'FY002';
    END IF;
    INSERT INTO core_event (actor, action, reason, channel, op, record, record_id, diff, xid)
    SELECT who, fy_said('action'), fy_said('reason'), coalesce(nullif(fy_said('channel'), ''), 'JOB'),
           'U', TG_ARGV[0], f.id, d.diff, pg_current_xact_id()::text::bigint
      FROM fresh f JOIN stale s USING (id)
     CROSS JOIN LATERAL (
           SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) AS diff
             FROM jsonb_each(to_jsonb(f) - silent) n JOIN jsonb_each(to_jsonb(s)) o USING (key)
            WHERE n.value IS DISTINCT FROM o.value) d
     WHERE d.diff IS NOT NULL;
    IF cardinality(tracked) > 0 THEN
      PERFORM fy_keep(TG_ARGV[0], (to_jsonb(s) ->> TG_ARGV[3])::timestamptz, since, f.id, t.fact,
                      to_jsonb(s) ->> t.fact, to_jsonb(f) ->> t.fact)
         FROM fresh f JOIN stale s USING (id) CROSS JOIN unnest(tracked) AS t (fact)
        WHERE to_jsonb(f) ->> t.fact IS DISTINCT FROM to_jsonb(s) ->> t.fact;
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- What the transaction announced about itself: action, reason, channel.
CREATE OR REPLACE FUNCTION fy_said(what text) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT coalesce(current_setting('fangyuan.' || what, true), '') $$;

-- Keep the old value of a tracked fact as a span, and begin the span of the new one.
-- A record whose fact never changed needs no span: its present value holds since its birth.
CREATE OR REPLACE FUNCTION fy_keep(kind text, born timestamptz, since timestamptz, number bigint,
                                   what text, was text, becomes text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE begun timestamptz;
BEGIN
  SELECT max(starts_at) INTO begun FROM core_tracked
   WHERE subject_type = kind AND subject_id = number AND fact = what AND removed_at IS NULL;
  IF begun IS NULL AND born < since THEN
    INSERT INTO core_tracked (subject_type, subject_id, fact, value, starts_at, ends_at)
    VALUES (kind, number, what, was, born, since);
  ELSIF begun < since THEN
    UPDATE core_tracked SET ends_at = since
     WHERE subject_type = kind AND subject_id = number AND fact = what AND starts_at = begun
       AND (ends_at IS NULL OR ends_at > since);
  END IF;
  INSERT INTO core_tracked (subject_type, subject_id, fact, value, starts_at)
  VALUES (kind, number, what, becomes, greatest(since, begun, born))
  ON CONFLICT (subject_type, subject_id, fact, starts_at)
  DO UPDATE SET value = excluded.value, ends_at = NULL, removed_at = NULL;
END $$;
