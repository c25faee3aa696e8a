"""What the metrics know of a filled-in form: how full it is, and what a customer's answers say."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, F, Func, IntegerField, Q, TextField, Value, When

from fangyuan.core import facts
from fangyuan.desk.models import is_true
from fangyuan.forms.models import Response

PROMOTER, DETRACTOR = 9, 6  # of 10 (PS-2.7.5.1)


def _asked() -> Func:
    return Func(F("form__items"), function="jsonb_array_length", output_field=IntegerField())


def _answered() -> Func:
    return Func(
        F("answers"),
        template=(
            "(SELECT count(*) FROM jsonb_each(%(expressions)s) told"
            " WHERE told.value NOT IN ('null', '\"\"', '[]', '{}'))"
        ),
        output_field=IntegerField(),
    )


def _names() -> Func:
    return Func(
        F("answers"),
        template=(
            "ARRAY(SELECT told.key FROM jsonb_each(%(expressions)s) told"
            " WHERE told.value NOT IN ('null', '\"\"', '[]', '{}'))"
        ),
        output_field=ArrayField(TextField()),
    )


def _sign() -> Case:
    return Case(
        When(nps__gte=PROMOTER, then=Value(1)),
        When(nps__lte=DETRACTOR, then=Value(-1)),
        default=Value(0),
        output_field=IntegerField(),
    )


facts.extend(
    Response,
    {
        "asked_count": facts.Derived("应答要素数", kind="int", value=lambda: _asked()),
        "answered_count": facts.Derived("已答要素数", kind="int", value=lambda: _answered()),
        "dimensions": facts.Derived("已评维度集合", kind="set", value=lambda: _names()),
        "nps_sign": facts.Derived("推荐正负号", kind="int", value=lambda: _sign()),
        "is_valid": facts.Derived(
            "有效问卷", kind="bool", value=lambda: is_true(Q(submitted_at__isnull=False))
        ),
        "knows_brand": facts.Derived(
            "知晓品牌",
            kind="bool",
            value=lambda: is_true(Q(answers__contains={"knows_brand": True})),
        ),
    },
)
