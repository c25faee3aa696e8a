"""Whom a rule may name: roles of the record, its fields for people, positions, departments."""

from __future__ import annotations

from typing import Any

from fangyuan.core.models import Term
from fangyuan.engine.kinds import base
from fangyuan.org.models import Holding, Person

DOMAINS = {"position": "岗位", "department": "部门", "body": "机构"}


def options(model: Any) -> list[tuple[str, str]]:
    """Who may answer for records of a type."""
    own = [("owner", "负责人"), ("recorded_by", "录入人")]
    if model is Person:
        own = [("self", "本人")]
    fields = [
        (f.name, str(f.verbose_name))
        for f in model._meta.concrete_fields
        if base.person_field(model, f.name) is not None
    ]
    held = [(code, str(Holding.Role[role].label)) for code, role in base.HELD_ROLES.items()]
    return own + fields + held + roles()


def roles() -> list[tuple[str, str]]:
    """Positions, departments and bodies by their vocabulary."""
    rows = Term._base_manager.filter(domain__in=DOMAINS, active=True).order_by("domain", "rank")
    return [(term.code, f"{DOMAINS[term.domain]}：{term.label}") for term in rows]
