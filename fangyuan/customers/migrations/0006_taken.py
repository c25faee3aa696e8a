"""Whichever way a holding is written: what is held lies in no pool, and no quota is exceeded."""

from django.db import migrations

TAKEN = """
CREATE FUNCTION customers_taken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lies_in customers_pool;
    held integer;
BEGIN
    IF NEW.role <> 'OWNER' OR NEW.ends_at IS NOT NULL OR NEW.removed_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF NEW.subject_type = 'customer' THEN
        UPDATE customers_customer SET pooled_at = NULL
         WHERE id = NEW.subject_id AND pooled_at IS NOT NULL;
        SELECT p.* INTO lies_in FROM customers_customer c JOIN customers_pool p ON p.id = c.pool_id
         WHERE c.id = NEW.subject_id AND p.quota IS NOT NULL AND p.removed_at IS NULL;
    ELSIF NEW.subject_type = 'lead' THEN
        UPDATE customers_lead SET pooled_at = NULL
         WHERE id = NEW.subject_id AND pooled_at IS NOT NULL;
        SELECT p.* INTO lies_in FROM customers_lead c JOIN customers_pool p ON p.id = c.pool_id
         WHERE c.id = NEW.subject_id AND p.quota IS NOT NULL AND p.removed_at IS NULL;
    END IF;
    IF lies_in.id IS NULL THEN
        RETURN NULL;
    END IF;
    -- Whoever gives this person something else waits here, and then counts this one too.
    PERFORM FROM org_person WHERE id = NEW.person_id FOR NO KEY UPDATE;
    SELECT count(*) INTO held
      FROM org_holding h
           LEFT JOIN customers_customer c ON h.subject_type = 'customer' AND c.id = h.subject_id
           LEFT JOIN customers_lead l ON h.subject_type = 'lead' AND l.id = h.subject_id
     WHERE h.person_id = NEW.person_id AND h.role = 'OWNER' AND h.ends_at IS NULL
       AND h.removed_at IS NULL AND h.subject_type = NEW.subject_type
       AND coalesce(c.pool_id, l.pool_id) = lies_in.id
       AND coalesce(c.removed_at, l.removed_at) IS NULL
       AND (lies_in.counts_won OR c.won_at IS NULL OR c.won_at > clock_timestamp());
    IF held > lies_in.quota THEN
        RAISE EXCEPTION '库容已满：从“%”得来的在手 % 个，上限 % 个', lies_in.name, held - 1, lies_in.quota
              USING ERRCODE = 'check_violation', CONSTRAINT = 'told';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER taken AFTER INSERT OR UPDATE OF person_id, ends_at, role, removed_at
    ON org_holding FOR EACH ROW EXECUTE FUNCTION customers_taken();
"""
UNDONE = "DROP TRIGGER taken ON org_holding; DROP FUNCTION customers_taken();"


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_pools"), ("org", "0006_held_from_pools")]

    operations = [migrations.RunSQL(TAKEN, UNDONE)]
