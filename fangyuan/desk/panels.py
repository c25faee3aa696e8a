"""The parts of a record page: each has a name, an address of its own and a fragment.

A panel gets the scene (who looks at which record, when) and gives its template what it shows. What
it reads belongs to a record that the actor may see; hidden fields are taken out here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Q

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import past, ready, records
from fangyuan.core.models import Event
from fangyuan.desk import columns, declare, duties, looking_back, standing
from fangyuan.desk.models import Comment, Tag, TagValue
from fangyuan.engine.models import Request
from fangyuan.org.models import Holding, Person

ROWS = 8


@dataclass
class Scene:
    """Who looks at which record, when, and with what in the address."""

    desk: declare.Desk
    record: Any
    actor: Any
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    # The past instant that the record is shown at, with the values of then; `now` is that instant.
    as_of: looking_back.AsOf | None = None

    @property
    def until(self) -> datetime:
        """Nothing that was written later is shown."""
        return self.as_of.at if self.as_of else looking_back.FOREVER

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Fields of this record hidden from the actor."""
        return scopes.veil(self.actor, [self.record])[self.record.pk]

    @cached_property
    def facade(self) -> columns.Facade:
        """The record's cells, with everything named that the page may show."""
        facade = columns.Facade([self.record], self.actor, {self.record.pk: self.hidden})
        facade.ask(
            [self.record],
            {*self.desk.head, *self.desk.badges, *self.desk.fields(), *self.desk.inline},
        )
        facade.labels.ask(Person, [getattr(self.record, "recorded_by", None) or None])
        facade.labels.load()
        return facade

    @cached_property
    def may_change(self) -> bool:
        """Whether the actor may change this record."""
        if not self.desk.is_record or self.record.removed_at is not None or self.as_of:
            return False
        if hasattr(self.record, "may_be_changed"):
            return bool(self.record.may_be_changed)
        model = type(self.record)
        allowed = scopes.rows(self.actor, model, "u")
        return bool(model._base_manager.filter(allowed, pk=self.record.pk).exists())

    @property
    def may_edit(self) -> bool:
        """Whether the actor may open this record's form."""
        return self.desk.is_edited and bool(self.desk.form) and self.may_change

    @cached_property
    def standing(self) -> standing.Standing:
        """The record's duties in the ledger, as they stand."""
        return standing.of(self.record, self.desk, self.actor, self.now, as_of=self.as_of)

    @cached_property
    def said_owed(self) -> list[duties.Duty]:
        """What is still to be met, in words."""
        return duties.describe(self.standing.owed, self.actor)

    def settled(self, before: datetime | None = None) -> list[Any]:
        """What was met or missed, the latest first, each with the `moment` it was decided."""
        if before is None or before > self.until:
            return self.standing.settled
        then = (self.now, before, self.as_of)
        return standing.of(self.record, self.desk, self.actor, *then).settled

    def url(self, rest: str = "") -> str:
        """An address under the record."""
        return f"/{self.desk.name}/{self.record.pk}{rest}"


@dataclass
class Panel:
    """A card of the record page."""

    name: str
    title: str
    is_side: bool = False
    # Below the fold: fetched when it scrolls into view; without scripts its title leads to it.
    is_lazy: bool = False
    # Whether it can show how it was; what cannot is left out while looking back.
    looks_back: ClassVar[bool] = False
    # Where its fragment lies; a room's own panels say their own.
    folder: ClassVar[str] = "desk/panels"

    @property
    def template(self) -> str:
        """The fragment that shows it."""
        return f"{self.folder}/{self.name}.html"

    def is_shown(self, actor: Any) -> bool:
        """Whether the actor's position has a use for it."""
        return True

    def waits(self, scene: Scene) -> bool:
        """Whether it comes by itself when it scrolls into view."""
        return self.is_lazy

    def context(self, scene: Scene) -> dict[str, Any]:
        """What the fragment shows."""
        raise AssertionError("declared by each panel")


@dataclass
class Facts(Panel):
    """The record's fields in the form's groups, each with who changed it last and when."""

    name: str = "facts"
    title: str = "资料"
    is_side: bool = True
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        shown: set[str] = set()
        groups = []
        for section in scene.desk.form:
            names = [] if section.of else [n for n in section.fields if n not in shown]
            shown |= set(names)
            lines = [self._fact(scene, name) for name in names]
            groups.append({"title": section.title, "lines": [one for one in lines if one]})
        filled = [group for group in groups if group["lines"]]
        recorded = scene.facade.labels.name(Person, getattr(scene.record, "recorded_by", None))
        return {"groups": filled, "recorded_by": recorded or "系统"}

    def _fact(self, scene: Scene, name: str) -> dict[str, Any] | None:
        cell = scene.facade.cell(scene.record, name)
        if cell.kind == "none":
            return None
        label = columns.label_of(type(scene.record), name)
        return {
            "name": name,
            "label": label,
            "cell": cell,
            "history": scene.url(f"/history/{name}"),
        }


@dataclass
class Duties(Panel):
    """What is owed about the record: open first, then what was done or missed lately."""

    name: str = "duties"
    title: str = "义务"
    is_side: bool = True
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        done = [one for one in scene.settled() if one.state != "BREACHED"][:ROWS]
        return {"open": scene.said_owed, "done": duties.describe(done, scene.actor)}


@dataclass
class Related(Panel):
    """Records of another type that point at this one by a field."""

    name: str = ""
    title: str = ""
    record: str = ""
    by: str = ""
    show: Any = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    is_lazy: bool = True
    looks_back: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.name = self.name or self.record
        self.show = self.show.split() if isinstance(self.show, str) else self.show

    @property
    def template(self) -> str:
        return "desk/panels/related.html"

    @property
    def child(self) -> Any:
        """The type that points here."""
        return records.row_types()[self.record]

    def is_shown(self, actor: Any) -> bool:
        return table.may(actor, self.record, "r")

    def waits(self, scene: Scene) -> bool:
        """Looking back it always does: each kind of record must be asked of the event log."""
        return self.is_lazy or scene.as_of is not None

    def rows(self, scene: Scene) -> list[Any]:
        """The first records that point here and that the actor may see, one more than are shown."""
        where, seen = tuple(sorted(self.where.items())), scopes.reach(scene.actor, self.child)
        is_pointer = self.by in getattr(self.child, "any_fields", {})
        key = "pk" if is_pointer else self.child._meta.get_field(self.by).target_field.attname
        given = {"actor": scene.actor, "key": getattr(scene.record, key), "until": scene.until}
        shape = (where, seen, scopes.deciding(scene.actor, self.child), scene.as_of is not None)
        found = _RELATED(self.child, scene.desk.name, self.by, *shape, **given)
        return past.turned(found, scene.until) if scene.as_of else found

    def context(self, scene: Scene) -> dict[str, Any]:
        page = self.rows(scene)
        rows, desk = page[:ROWS], declare.desk_of(self.record)
        every = {one.name: one for one in columns.columns(desk)}
        shown = [every.get(n) or columns.Column(n) for n in self.show] or [*every.values()][:4]
        facade = columns.Facade(rows, scene.actor, scopes.veil(scene.actor, rows))
        for column in shown:
            facade.ask(rows, column.fields())
            column.load(rows, facade, scene.now)
        facade.labels.load()
        lines = [
            {"url": declare.address(row), "cells": [c.cell(row, facade) for c in shown]}
            for row in rows
        ]
        is_pointer = self.by in getattr(self.child, "any_fields", {})
        value = f"{scene.desk.name}:{scene.record.pk}" if is_pointer else scene.record.pk
        may_add = desk.is_new and table.may(scene.actor, self.record, "c") and not scene.as_of
        return {
            "heads": [column.heading(self.child) for column in shown],
            "lines": lines,
            "all_url": self._all(desk, scene) if len(page) > ROWS and not scene.as_of else "",
            "new_url": f"/{self.record}/new?{self.by}={value}" if may_add else "",
            "label": desk.label,
        }

    def _all(self, desk: declare.Desk, scene: Scene) -> str:
        known = self.by in {getattr(one, "name", one) for one in desk.filters}
        return f"/{self.record}/?{self.by}={scene.record.pk}" if known else ""


@dataclass
class Approvals(Panel):
    """Requests about the record: what was asked, how far they are."""

    name: str = "approvals"
    title: str = "审批"
    is_lazy: bool = True
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        seen = Request.objects.seen_by(scene.actor).filter(
            subject_type=scene.desk.name, subject_id=scene.record.pk
        )
        found = list(seen.select_related("asked_by").distinct()[:ROWS])
        return {"requests": [{"request": one, "label": verb_label(one.action)} for one in found]}


def verb_label(action: str) -> str:
    """The Chinese name of a verb written `record.verb`."""
    verb = door.VERBS.get(action)
    return verb.label if verb else action


@dataclass
class Comments(Panel):
    """What colleagues said about the record, and a line to add to it."""

    name: str = "comments"
    title: str = "评论"
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        given = {"kind": scene.desk.name, "number": scene.record.pk, "until": scene.until}
        return {
            "comments": _COMMENTS(**given),
            "url": scene.url("/comment"),
            "may_add": table.may(scene.actor, "comment", "c") and not scene.as_of,
        }


def _related(  # noqa: PLR0913 - what makes the shape of a ready query
    child: Any, parent: str, by: str, where: Any, seen: scopes.Reach, sets: Any, is_past: bool
) -> Any:
    found = child.objects.everything("在范围内").filter(**dict(where))
    if not is_past:
        found = found.present()
    elif issubclass(child, records.Record):
        there = Q(removed_at=None) | Q(removed_at__gt=ready.Slot("until"))
        found = found.filter(there, recorded_at__lte=ready.Slot("until"))
    found = found.annotate(**scopes.covering(child, seen, sets))
    if by in getattr(child, "any_fields", {}):
        pointer = {f"{by}_type": parent, f"{by}_id": ready.Slot("key")}
    else:
        pointer = {by: ready.Slot("key")}
    return found.filter(scopes.later(seen, child, few=True), **pointer)[: ROWS + 1]


_RELATED = ready.Ready(_related)
_COMMENTS = ready.Ready(
    lambda: (
        Comment.objects.everything("所属记录在范围内")
        .present()
        .filter(subject_type=ready.Slot("kind"), subject_id=ready.Slot("number"))
        .filter(recorded_at__lte=ready.Slot("until"))
        .select_related("author")[:20]
    )
)


@dataclass
class Tags(Panel):
    """The record's labels by group: fields that a tag is bound to, and free values with proof."""

    name: str = "tags"
    title: str = "标签"
    is_lazy: bool = True
    is_side: bool = True
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        tags = Tag.objects.everything("标签字典").present().select_related("group")
        tags = tags.filter(object=scene.desk.name.upper(), stage="ACTIVE")
        # Sensitive labels are for those who answer for the record, and not for looking back.
        if not scene.may_change:
            tags = tags.filter(level="PUBLIC")
        bound = [tag.bound_to.rsplit(".", 1)[-1] for tag in tags]
        scene.facade.ask([scene.record], filter(None, bound))
        scene.facade.labels.load()
        proofs = self._proofs(scene)
        groups: dict[str, list[Any]] = {}
        for tag in tags:
            proof = proofs.get(tag.pk)
            values = self._values(scene, tag, proof)
            if values:
                line = {"tag": tag, "values": values, "proof": proof}
                groups.setdefault(str(tag.group), []).append(line)
        pointer = f"{scene.desk.name}:{scene.record.pk}"
        new_url = "" if scene.as_of else f"/tag_value/new?subject={pointer}"
        return {"groups": groups, "new_url": new_url}

    def _proofs(self, scene: Scene) -> dict[int, Any]:
        found = TagValue.objects.everything("所属记录在范围内").present()
        then = Q(replaced_at=None) | Q(replaced_at__gt=scene.until)
        found = found.filter(then, subject_type=scene.desk.name, subject_id=scene.record.pk)
        found = found.filter(recorded_at__lte=scene.until)
        return {one.tag_id: one for one in found.select_related("source")}

    def _values(self, scene: Scene, tag: Any, proof: Any) -> list[str]:
        name = tag.bound_to.rsplit(".", 1)[-1]
        if name and columns.field_of(type(scene.record), name) is not None:
            cell = scene.facade.cell(scene.record, name)
            if cell.kind in ("none", "hidden"):
                return []
            return cell.value if cell.kind == "tags" else [cell.text]
        return [proof.value] if proof else []


@dataclass
class Team(Panel):
    """Who has a part in the record now."""

    name: str = "team"
    title: str = "服务团队"
    is_lazy: bool = True
    is_side: bool = True
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        held = Holding.objects.everything("所属记录在范围内").present()
        held = held.filter(subject_type=scene.desk.name, subject_id=scene.record.pk)
        held = held.filter(Q(ends_at=None) | Q(ends_at__gt=scene.now)).select_related("person")
        held = held.filter(starts_at__lte=scene.until)
        return {"holdings": list(held.order_by("-role", "starts_at"))}


def history(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Every value that a field of the record had, newest first: who wrote it, when, and why."""
    column = columns.field_of(type(scene.record), name)
    key = getattr(column, "column", f"{name}_id")
    events = Event.objects.everything("这条记录在范围内").filter(
        record=scene.desk.name, record_id=scene.record.pk, diff__has_key=key
    )
    found = list(events.order_by("-at", "-id")[:100])
    labels = columns.Labels(scene.actor)
    labels.ask(Person, [event.actor for event in found if event.actor])
    for event in found:
        for value in changed(event, key):
            for model, number in columns.references(column, value):
                labels.ask(model, [number])
    labels.load()
    return [
        {
            "event": event,
            "was": columns.cell_of(column, changed(event, key)[0], labels),
            "now": columns.cell_of(column, changed(event, key)[1], labels),
            "actor": labels.name(Person, event.actor) or "系统",
        }
        for event in found
    ]


def changed(event: Any, key: str) -> tuple[Any, Any]:
    """The value before and after an event; a new record had nothing before."""
    value = event.diff.get(key)
    if event.op == "U":
        return (value[0], value[1]) if value else (None, None)
    return (None, value) if event.op == "C" else (value, None)


def panels(desk: declare.Desk, actor: Any, *, is_past: bool = False) -> Sequence[Panel]:
    """The panels of the desk's page that the actor has a use for, now or looking back."""
    return [
        panel for panel in desk.page if panel.is_shown(actor) and (panel.looks_back or not is_past)
    ]
