"""Instants as days of the company's zone, within queries."""

from __future__ import annotations

from django.db.models import DateField, Func

from fangyuan.core import spans


class LocalDay(Func):
    """The day on which an instant lies, also of an outer query."""

    template = f"((%(expressions)s) AT TIME ZONE '{spans.SHANGHAI}')::date"
    output_field = DateField()
