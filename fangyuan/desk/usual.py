"""What a desk is where its declaration says nothing: the parts that follow from the model.

A declaration names only what differs, so a type to look things up in is `Desk(model=X)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import models

from fangyuan.core import fields

COLUMNS = 7
NAMES = ("name", "title", "label", "number", "code")
KEPT_BACK = (models.AutoField, models.JSONField, models.FileField)
NARROWING = (models.ForeignKey, models.BooleanField, models.DateField, fields.ChoiceSet)


def entered(model: Any) -> list[str]:
    """What a person enters: what the record is about, then its fields in the order of the model."""
    pointers = list(getattr(model, "any_fields", {}))
    halves = {f"{name}_{half}" for name in pointers for half in ("type", "id")}
    own = [f for f in model._meta.concrete_fields if f.editable and not isinstance(f, KEPT_BACK)]
    return [*pointers, *(f.name for f in own if f.name not in halves)]


def columns(model: Any) -> list[str]:
    """The record's name, then what is short, then long texts while there is room."""

    def rank(name: str) -> int:
        return 0 if name == title else 2 if name in long else 1

    names = entered(model)
    title = next((name for name in NAMES if name in names), None)
    long = {f.name for f in model._meta.concrete_fields if isinstance(f, fields.Note)}
    return sorted(names, key=rank)[:COLUMNS]


def filters(model: Any) -> list[str]:
    """What has few values or lies on a scale of days."""
    plain = {f.name: f for f in model._meta.concrete_fields}
    return [
        name
        for name in entered(model)
        if name == "record"
        or (name in plain and (isinstance(plain[name], NARROWING) or plain[name].choices))
    ]


def search(model: Any) -> list[str]:
    """The texts that name the record."""
    return [name for name in NAMES if name in entered(model)]


def sorts(model: Any) -> list[str]:
    """The instant at which the record begins."""
    begins = getattr(model, "begins", "")
    return [begins] if begins in entered(model) else []


def form(model: Any) -> list[str]:
    """All that is entered; a stage is moved by verbs."""
    return [name for name in entered(model) if name != getattr(model, "stage_field", None)]


def page(desk: Any) -> list[Any]:
    """The facts, and what happened to a record that is logged."""
    panels = import_module("fangyuan.desk.panels")  # panels know desks, not the other way
    line = [import_module("fangyuan.desk.timeline").Timeline()] if desk.is_record else []
    return [*line, panels.Facts()]
