"""The database knows the states of requests and the acts about them that came later."""

from django.db import migrations

TELL = """
ALTER TABLE engine_request DROP CONSTRAINT IF EXISTS engine_request_state_check;
ALTER TABLE engine_request ADD CONSTRAINT engine_request_state_check CHECK (state IN
  ('WAITING', 'AGREED', 'REFUSED', 'RETURNED', 'WITHDRAWN', 'VOID'));
ALTER TABLE engine_decision DROP CONSTRAINT IF EXISTS engine_decision_verdict_check;
ALTER TABLE engine_decision ADD CONSTRAINT engine_decision_verdict_check CHECK (verdict IN
  ('AGREE', 'REFUSE', 'BACK', 'FORWARD', 'SIGNER', 'COMMENT', 'URGE', 'WITHDRAW', 'COPY',
   'ESCALATE', 'VOID'));
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0010_alert")]

    operations = [migrations.RunSQL(TELL, migrations.RunSQL.noop)]
