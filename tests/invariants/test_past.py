"""Whatever a record is made of, the event log gives it back as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fangyuan.core import past, records
from tests.invariants.rows import Rows

# A later write that emptied every column of the row: the log holds what stood before.
EMPTIED = """
INSERT INTO core_event (at, actor, action, reason, channel, op, record, record_id, diff, xid)
SELECT now() + interval '1 hour', 0, 'test', '', 'JOB', 'U', %s, t.id,
       (SELECT jsonb_object_agg(key, jsonb_build_array(value, NULL))
          FROM jsonb_each(to_jsonb(t)) WHERE key <> 'id'), 0
  FROM {table} t WHERE t.id = %s
"""


@pytest.fixture
def rows(company):
    """One row of every record type."""
    found = Rows(company.li).every()
    return {name: row for name, row in found.items() if isinstance(row, records.Record)}


def test_every_value_of_every_record_type_comes_back_from_the_log(rows):
    assert len(rows) > 40
    wrong = []
    for name, made in rows.items():
        row = type(made)._base_manager.get(pk=made.pk)
        with connection.cursor() as cursor:
            cursor.execute(EMPTIED.format(table=row._meta.db_table), [name, row.pk])
        bare = type(made)(pk=row.pk)
        then = past.turned([bare], timezone.now())[0]
        later = past.turned([bare], timezone.now() + timedelta(hours=2))[0]
        for field in row._meta.concrete_fields:
            value = getattr(row, field.attname)
            if getattr(then, field.attname) != value:
                wrong.append((name, field.attname, getattr(then, field.attname), value))
            assert getattr(later, field.attname) == getattr(bare, field.attname)
    assert wrong == []


def test_rows_of_many_types_are_asked_of_the_log_at_once(rows, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert len(past.turned(rows.values(), timezone.now())) == len(rows)
    with django_assert_num_queries(0):
        assert past.turned([], timezone.now()) == []
