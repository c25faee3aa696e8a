"""By what a row of a file finds its record, and a reference the record it means.

Most types go by their external `key`. People go by login, teams by code, spans by whom they
concern, the role and the start; where only one such record may stand, the rest need not be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Identity:
    """The fields that make a row the same as a known record.

    `besides` counts too, unless `alone` (field, value) says that only one such record may stand.
    """

    fields: tuple[str, ...]
    besides: str = ""
    alone: tuple[str, str] | None = None


# Spans and named rows; a type that is missing here is known by its key alone.
ROWS: dict[str, tuple[Identity, ...]] = {
    "person": (Identity(("login",)), Identity(("work_no",))),
    "team": (Identity(("code",)),),
    "membership": (Identity(("person", "position", "starts_on"), "team", ("is_main", "true")),),
    "holding": (Identity(("subject", "role", "starts_at"), "person", ("role", "OWNER")),),
    "leave": (Identity(("person", "starts_at")),),
    "waiver": (Identity(("clause", "subject", "person", "starts_at")),),
    "calendar_day": (Identity(("on", "calendar_version")),),
    "term": (Identity(("domain", "code")),),
    "form": (Identity(("code", "version")),),
    "tag": (Identity(("object", "name")),),
}

# Fields by which other files name a record, tried in this order after its key and `#number`.
NAMES: dict[str, tuple[str, ...]] = {
    "person": ("login", "work_no", "name"),
    "team": ("code", "name"),
    "form": ("code", "kind", "name"),
}
# References that may be to records of a later file (see `later`).
LATER: dict[str, tuple[str, ...]] = {"team": ("leader",)}
# What stands in a type's own files for the external key.
OWN: dict[str, str] = {"person": "login", "team": "code"}


def names(model: Any) -> tuple[str, ...]:
    """The fields by which a reference may name a record of this type."""
    kind = model.record_name()
    if kind in NAMES:
        return NAMES[kind]
    columns = {field.name for field in model._meta.concrete_fields}
    return ("name",) if "name" in columns else ()


def own(model: Any) -> str:
    """The field whose value other files use for a record of this type."""
    return OWN.get(model.record_name(), "key")


def of(model: Any) -> tuple[Identity, ...]:
    """How a row without an external key is recognised, the surest way first."""
    return ROWS.get(model.record_name(), ())
