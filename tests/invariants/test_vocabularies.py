"""What a closed vocabulary offers, the database takes: a migration has to renew its check.

Django alters a choice field without touching the check that the product's fields bring along.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from fangyuan.core import fields, records

_CHECKS = """
SELECT c.conrelid::regclass::text, a.attname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
 WHERE c.contype = 'c' AND cardinality(c.conkey) = 1
"""


@pytest.mark.django_db
def test_the_database_takes_every_code_that_a_field_offers():
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS)
        checks: dict[tuple[str, str], list[str]] = {}
        for table, column, told in cursor.fetchall():
            checks.setdefault((table, column), []).append(told)
    refused = []
    for model in apps.get_models():
        if not issubclass(model, records.Row) or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            for told in checks.get((model._meta.db_table, field.column), []):
                missing = [code for code in _codes(field) if f"'{code}'" not in told]
                refused += [(model._meta.label, field.name, code) for code in missing]
    assert refused == []


def _codes(field):
    if isinstance(field, fields.ChoiceSet):
        return [code for code, _ in field.vocabulary]
    return [code for code, _ in field.flatchoices or []]
