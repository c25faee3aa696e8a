"""What is known of tags as proof: whether a value is in force and fresh, how full a file is."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Now
from django.db.models.lookups import LessThan

from fangyuan.core import facts
from fangyuan.customers.models import Customer, Lead
from fangyuan.desk.models import Tag, TagValue, is_true
from fangyuan.forms.models import Response

# How many days a tag's value stays fresh, by what its dictionary says (TAG-1.3.4).
CYCLES: Final = {"周": 7, "月": 31, "季": 92, "半年": 184, "年": 366}
REQUIRED: Final[dict[str, Any]] = {
    "object": "CUSTOMER",
    "is_required": True,
    "stage": "ACTIVE",
    "removed_at": None,
}
# A tag bound to a field has its truth there; others have it in their value. Of a lead are asked
# the tags whose field it has: what it becomes is asked of the customer.
_MISSING: Final = """(
SELECT count(*) FROM desk_tag t, (SELECT to_jsonb(x) AS told FROM {table} x
                                   WHERE x.id = %(expressions)s) r
 WHERE t.object = 'CUSTOMER' AND t.is_required AND t.stage = 'ACTIVE' AND t.removed_at IS NULL
   AND ('{kind}' = 'customer' OR r.told ? t.bound_to OR r.told ? (t.bound_to || '_id'))
   AND NOT EXISTS (SELECT FROM desk_tagvalue v
                    WHERE v.tag_id = t.id AND v.subject_type = '{kind}'
                      AND v.subject_id = %(expressions)s
                      AND v.replaced_at IS NULL AND v.removed_at IS NULL)
   AND coalesce(r.told ->> t.bound_to, r.told ->> (t.bound_to || '_id'), '')
       IN ('', '[]', '{{}}'))"""
# A tag bound to a field has its truth there; others have it in their value.
_FILLED: Final = """(
SELECT count(*) FROM desk_tag t
 WHERE t.object = 'CUSTOMER' AND t.is_required AND t.stage = 'ACTIVE' AND t.removed_at IS NULL
   AND (EXISTS (SELECT FROM desk_tagvalue v
                 WHERE v.tag_id = t.id AND v.subject_type = 'customer'
                   AND v.subject_id = %(expressions)s
                   AND v.replaced_at IS NULL AND v.removed_at IS NULL)
        OR coalesce((SELECT coalesce(to_jsonb(c) ->> t.bound_to,
                                     to_jsonb(c) ->> (t.bound_to || '_id'))
                       FROM customers_customer c WHERE c.id = %(expressions)s), '')
           NOT IN ('', '[]', '{}')))"""


def _reviewed() -> Subquery:
    """When the record that the value is about was last gone over as a whole."""
    rows = Response._base_manager.filter(
        subject_type=OuterRef("subject_type"),
        subject_id=OuterRef("subject_id"),
        form__kind="REVIEW",
        removed_at=None,
    )
    last = rows.order_by().values("subject_id").annotate(last=Max("submitted_at"))
    return Subquery(last.values("last"))


def _is_stale() -> Q:
    """Neither decided, checked nor reviewed within the cycle of its tag."""
    seen = Greatest("decided_at", "checked_at", _reviewed(), output_field=DateTimeField())
    spans = [
        When(tag__refresh__endswith=word, then=Value(f"{days} days"))
        for word, days in CYCLES.items()
    ]
    cycle = Func(Case(*reversed(spans)), template="(%(expressions)s)::interval")
    kept = ExpressionWrapper(Now() - cycle, output_field=DateTimeField())
    return Q(LessThan(seen, kept))


def _channels() -> Coalesce:
    """By how many ways what is known of a customer was gathered (TAG-3.1.1b)."""
    rows = TagValue._base_manager.filter(
        subject_type="customer", subject_id=OuterRef("pk"), removed_at=None
    )
    told = rows.order_by().values("subject_type").annotate(n=Count("source", distinct=True))
    return Coalesce(Subquery(told.values("n")), Value(0))


def _required() -> Coalesce:
    counted = Tag._base_manager.filter(**REQUIRED).order_by().values("object")
    return Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n")), Value(0))


facts.extend(
    TagValue,
    {
        "is_current": facts.Derived(
            "现行", kind="bool", value=lambda: is_true(Q(replaced_at=None))
        ),
        "is_stale": facts.Derived("超期", kind="bool", value=lambda: is_true(_is_stale())),
    },
)


def _missing(model: Any) -> facts.Derived:
    """How many required tags the record lacks (TAG-3.2.2a)."""
    asked = _MISSING.format(table=model._meta.db_table, kind=model.record_name())
    return facts.Derived(
        "缺填必填标签",
        kind="int",
        reads=(("tag_value", "subject"),),
        value=lambda: Func(F("pk"), template=asked, output_field=IntegerField()),
    )


facts.extend(Lead, {"required_tags_missing": _missing(Lead)})
facts.extend(
    Customer,
    {
        "required_tags_missing": _missing(Customer),
        "required_tags_total": facts.Derived("应填标签数", kind="int", value=lambda: _required()),
        "required_tags_filled": facts.Derived(
            "已填标签数",
            kind="int",
            value=lambda: Func(F("pk"), template=_FILLED, output_field=IntegerField()),
        ),
        "source_channels": facts.Derived(
            "信息渠道数",
            kind="int",
            reads=(("tag_value", "subject"),),
            value=lambda: _channels(),
        ),
    },
)
