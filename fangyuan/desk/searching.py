"""Typed words as a condition: Chinese fragments, pinyin, initials, codes, phones."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Upper
from django.db.models.lookups import Exact

from fangyuan.access import table
from fangyuan.core import fields, text
from fangyuan.desk.columns import field_of
from fangyuan.desk.filters import LIST_MOST, NEVER, showing, veiled


def matching(model: Any, names: Any, words: str, actor: Any) -> Q:
    """The rows that the typed words mean: Chinese fragments, pinyin, initials, codes, phones."""
    plain = text.normalise(words)
    if not plain:
        return Q()
    found, code = NEVER, _code(words)
    partly, masked = veiled(actor, model.record_name()), table.masked(model.record_name())
    for name in names:
        if "__" in name:
            found |= _through(model, name, code, actor)
        else:
            meant = _named(model, name, words.strip(), code, is_exact=name in masked)
            found |= meant & showing(actor, model, name) if name in partly else meant
    return found


def _code(words: str) -> str:
    """The words as a code or number, if they read as one."""
    code = re.sub(r"[\s-]", "", words).upper()
    is_code = len(code) >= 4 and code.isascii() and any(c.isdecimal() for c in code)
    return code if is_code and code.isalnum() else ""


def _through(model: Any, path: str, code: str, actor: Any) -> Q:
    """Rows of which a child has this number; looked up first, so that an index finds the rows."""
    relation, name = model._meta.get_field(path.split("__")[0]), path.split("__")[1]
    child = relation.related_model
    if len(code) < 7:
        return NEVER
    shown = showing(actor, child, name)
    found = child.objects.seen_by(actor).filter(shown, **{name: code}).order_by()
    return Q(pk__in=list(found.values_list(relation.field.attname, flat=True)[:LIST_MOST]))


def _named(model: Any, name: str, words: str, code: str, *, is_exact: bool) -> Q:
    has = {f.name for f in model._meta.concrete_fields}
    found = field_of(model, name)
    is_number = code.isdecimal() and len(code) >= 7
    if isinstance(found, fields.Uscc):
        return Q(Exact(Upper(name), code)) if len(code) == 18 else NEVER
    if is_exact or isinstance(found, fields.Phone):
        return _whole(found, name, words)
    if name == "name" and "grams" in has and not words.isascii():
        return Q(grams__contains=text.query_grams(words))
    if name == "name" and "pinyin" in has and words.isascii():
        return NEVER if is_number else _sounding(words)
    return Q(**{f"{name}__icontains": words})


def _whole(found: Any, name: str, words: str) -> Q:
    """Rows with exactly this value; words that cannot be one find nothing."""
    try:
        return Q(**{name: found.to_python(words)})
    except ValidationError:
        return NEVER


def _sounding(words: str) -> Q:
    found = NEVER
    for sound in text.pinyin_queries(words):
        if len(sound) < 3:
            found |= Q(pinyin__startswith=sound) | Q(pinyin__contains=f" {sound}")
        else:
            found |= Q(pinyin__contains=sound)
    return found
