"""The company's own templates for quotes and contracts, where they are kept."""

from __future__ import annotations

from typing import Any, Final

from fangyuan.desk.models import Attachment
from fangyuan.library.models import Material

QUOTES: Final = ("TEMPLATE", "knowledge:QUOTE_TEMPLATE")
WORD: Final = ".docx"


def of_material(number: int | None) -> bytes | None:
    """The newest document kept with a material, or None."""
    rows = Attachment.objects.everything("模板文件").present()
    rows = rows.filter(subject_type="material", subject_id=number, name__iendswith=WORD)
    found = rows.order_by("-pk").first()
    if found is None:
        return None
    with found.file.open("rb") as kept:
        return bytes(kept.read())


def for_quotes(_: Any = None) -> bytes | None:
    """The company's template for quotes that is in force, or None."""
    kind, category = QUOTES
    rows = Material.objects.everything("现行报价模板").present().filter(state="PUBLISHED")
    rows = rows.filter(kind=kind, category=category).order_by("-published_at", "-pk")
    return of_material(rows.values_list("pk", flat=True).first())
