"""Who answers for a duty, as SQL: the holder at the deciding instant, a superior, a stand-in."""

from __future__ import annotations

from typing import Final

from fangyuan.core import timelines
from fangyuan.engine.asked import Asked
from fangyuan.engine.kinds import Cadence, base
from fangyuan.engine.terms import ZONE, Terms, template
from fangyuan.org.models import SALES_POSITIONS, Holding


def answer(kind: base.Owed, terms: Terms) -> str:
    """The end of a rule's statement: from the rows of `judged` to its duties with their person."""
    who = kind.who
    own = _is_own(kind)
    holes = {
        "holder": "j.own_id",
        "holding_since": "NULL::timestamptz",
        "role": "'OWNER'",
        "holders": "",
        "is_enough": "true",
        "turns_at": "NULL::timestamptz",
        "halves": "",
        "leader": "h.holder_id",
        "owing": "l.leader_id",
        "above": "",
    }
    if who in terms.teams:
        leader = terms.teams[who]
        holes["holder"] = f"{leader}::bigint" if leader else "NULL::bigint"
    elif not own:
        near = terms.pick.subjects is not None
        holes.update(_holders(base.HELD_ROLES.get(who), near=near))
        if kind.model.owned_by and not isinstance(kind, Cadence):
            _prefer_own(holes, kind, terms.asked)
        holes["leader"] = _LEADER
        if isinstance(kind, Cadence) and not _is_position(kind, terms):
            holes.update(_half(terms))
    if _is_position(kind, terms):
        holes["owing"] = "u.id"
        above = _ABOVE_TEAM if kind.record == "team" else _ABOVE
        if who not in SALES_POSITIONS:
            above = above.replace(_SUPERIOR, _ANYWHERE).replace(*_ALSO_NOBODY)
        holes["above"] = above.format(position=timelines.literal(f"position:{who}"), zone=ZONE)
    passes = kind.on_leave == "delegate" and (who != "owner" or kind.model.passes_on)
    return template("answer").substitute(
        holes, zone=ZONE, now=terms.now, passes_on="true" if passes else "false"
    )


# Only where nobody holds it now but somebody did.
_LEADER: Final = """CASE WHEN h.holder_id IS NULL AND EXISTS (
           SELECT FROM org_holding x WHERE x.subject_type = h.held_type AND x.subject_id = h.held_id
              AND x.role = 'OWNER' AND x.removed_at IS NULL AND x.ends_at < h.answers_at)
         THEN engine_last_leader(h.held_type, h.held_id, h.answers_at) ELSE h.holder_id END"""


# Looking upwards is dear: once for each person and instant, however many duties share them.
_ABOVE: Final = """LEFT JOIN (
           SELECT x.leader_id, x.answers_at,
                  engine_superior(x.leader_id, {position}, x.answers_at) AS id
             FROM led x GROUP BY 1, 2) u
             ON u.leader_id = l.leader_id AND u.answers_at = l.answers_at"""

_SUPERIOR: Final = "engine_superior(x.leader_id, {position}, x.answers_at)"
_IN_FORCE: Final = """m.position_id = {position} AND m.removed_at IS NULL
                       AND (m.starts_on::timestamp AT TIME ZONE '{zone}') <= x.answers_at
                       AND (m.ends_on IS NULL OR x.answers_at <=
                            ((m.ends_on + 1)::timestamp AT TIME ZONE '{zone}'))"""
# A position outside the line of sales answers for the whole company where no superior holds it.
_ANYWHERE: Final = f"""coalesce({_SUPERIOR}, (
                    SELECT m.person_id FROM org_membership m WHERE {_IN_FORCE}
                     ORDER BY m.is_main DESC, m.starts_on, m.id LIMIT 1))"""  # noqa: S608 - fixed
_ALSO_NOBODY: Final = ("u.leader_id =", "u.leader_id IS NOT DISTINCT FROM")
# A team's own leader is the first who may hold the position.
_ABOVE_TEAM: Final = _ABOVE.replace(
    _SUPERIOR,
    f"""coalesce((
                    SELECT m.person_id FROM org_membership m
                     WHERE m.person_id = x.leader_id AND {_IN_FORCE}
                     LIMIT 1), {_SUPERIOR})""",  # noqa: S608 - fixed text
)


def _is_own(kind: base.Owed) -> bool:
    """Whether the record names the person itself."""
    model, who = kind.model, kind.who
    if who in ("self", "recorded_by") or base.person_field(model, who) is not None:
        return True
    return model.owned_by == "id" or base.person_field(model, model.owned_by) is not None


def _is_position(kind: base.Owed, terms: Terms) -> bool:
    who = kind.who
    plain = who in ("owner", "self", "recorded_by") or who in base.HELD_ROLES
    return not (plain or who in terms.teams or base.person_field(kind.model, who) is not None)


def _holders(role: str | None, *, near: bool) -> dict[str, str]:
    joins = _held("h", "b", "OWNER", near=near)
    if role is None:
        return {
            "holders": joins,
            "holder": "coalesce(j.own_id, h.person_id, b.person_id)",
            "holding_since": "coalesce(h.starts_at, b.starts_at)",
        }
    special = "coalesce(r.person_id, rb.person_id)"
    return {
        "holders": _held("r", "rb", role, near=near) + joins,
        "holder": f"coalesce({special}, j.own_id, h.person_id, b.person_id)",
        "holding_since": "coalesce(r.starts_at, rb.starts_at, h.starts_at, b.starts_at)",
        "role": f"CASE WHEN {special} IS NULL THEN 'OWNER' ELSE '{role}' END",
    }


def _held(before: str, at: str, role: str, *, near: bool) -> str:
    """Joins to who held just before the instant, and who begins at it where nobody did.

    Few subjects are looked up one by one; for all of them the tables are joined whole.
    """

    def same(name: str) -> str:
        return (
            f"{name}.subject_type = j.held_type AND {name}.subject_id = j.held_id"
            f" AND {name}.role = '{role}' AND {name}.removed_at IS NULL"
        )

    def joined(name: str, on: str, *, by_row: bool) -> str:
        if by_row:
            # Only what the index holds.
            kept = f"{name}.person_id, {name}.starts_at"
            rows = f"SELECT {kept} FROM org_holding {name} WHERE {same(name)} AND {on}"  # noqa: S608
            return f"LEFT JOIN LATERAL ({rows} LIMIT 1) {name} ON true"
        return f"LEFT JOIN org_holding {name} ON {same(name)} AND {on}"

    holds = f"({before}.ends_at IS NULL OR {before}.ends_at >= j.answers_at)"
    first = joined(before, f"{before}.starts_at < j.answers_at AND {holds}", by_row=near)
    # Hardly ever is there nobody: looked up only then.
    on = f"{before}.person_id IS NULL AND {at}.starts_at = j.answers_at"
    return f"{first}\n         {joined(at, on, by_row=True)}\n         "


def _prefer_own(holes: dict[str, str], kind: base.Owed, asked: Asked) -> None:
    """A record that belongs to another one may itself be held: then its own holder answers."""
    role = base.HELD_ROLES.get(kind.who)
    record = kind.record
    held = Holding._base_manager.filter(subject_type=record, removed_at=None)
    if not asked.once(("held", record), held.exists):
        return
    for name in ("OWNER", *([role] if role else [])):
        own = f"own_{name.lower()}"
        holes["holders"] += f"""LEFT JOIN LATERAL (
           SELECT x.person_id FROM org_holding x
            WHERE x.subject_type = '{record}' AND x.subject_id = j.subject_id
              AND x.role = '{name}' AND x.removed_at IS NULL AND x.starts_at <= j.answers_at
              AND (x.ends_at IS NULL OR x.ends_at >= j.answers_at)
            ORDER BY x.starts_at LIMIT 1) {own} ON true
         """  # noqa: S608 - declared names
    owner = "own_owner.person_id, coalesce(j.own_id, h.person_id, b.person_id)"
    special = f"own_{role.lower()}.person_id, r.person_id, rb.person_id, " if role else ""
    holes["holder"] = f"coalesce({special}{owner})"


def _half(terms: Terms) -> dict[str, str]:
    return {
        "is_enough": "coalesce(f.is_enough, true)",
        "turns_at": "f.turns_at",
        # OFFSET 0 keeps the function from being called for rows that need no answer.
        "halves": f"""LEFT JOIN LATERAL (
           SELECT x.* FROM engine_half(h.held_type, h.held_id, h.role, h.holder_id,
                                       h.starts_at, h.ends_at, {terms.now}) x
            WHERE h.holding_since > h.starts_at OFFSET 0) f ON true""",  # noqa: S608
    }
