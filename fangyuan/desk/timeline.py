"""The timeline of a record: what was written, done, owed and missed, on one axis; ahead on top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from django.utils import dateparse, timezone

from fangyuan.access import scopes
from fangyuan.core import past, ready, records, spans
from fangyuan.core.models import Event
from fangyuan.desk import columns, declare, duties, looking_back
from fangyuan.desk.filters import BadQuery
from fangyuan.desk.panels import Panel, Scene, changed, verb_label
from fangyuan.org.models import Person

PAGE = 20
FETCHED = 2 * PAGE  # what one transaction wrote shares its instant and must stay together
KINDS = {"": "全部", "contact": "往来", "duty": "义务", "event": "变更"}
ACTIONS = {"create": "新建", "change": "修改", "remove": "移入回收站", "restore": "移出回收站"}
LONGEST = 80


@dataclass(frozen=True)
class Source:
    """Children of the record that stand on its timeline at an instant of theirs."""

    record: str
    by: str
    at: str
    say: Callable[[Any], dict[str, Any]]
    icon: str = "file"


@dataclass
class Timeline(Panel):
    """The record's past and what lies ahead."""

    name: str = "timeline"
    title: str = "时间线"
    looks_back: ClassVar[bool] = True

    def context(self, scene: Scene) -> dict[str, Any]:
        kind = scene.params.get("kind", "")
        if kind not in KINDS:
            raise BadQuery(f"时间线没有“{kind}”这一类")
        before, is_first = _instant(scene.params.get("before", "")), "before" not in scene.params
        if scene.as_of and (before is None or before > scene.as_of.at):
            before = scene.as_of.at + looking_back.TICK
        parts = {"contact": _children, "duty": _past_duties, "event": _events}
        chosen = [part for name, part in parts.items() if kind in ("", name)]
        found = [entry for part in chosen for entry in part(scene, before)]
        found.sort(key=lambda entry: entry["at"], reverse=True)
        cut = found[PAGE - 1]["at"] if len(found) >= PAGE else None
        shown = [entry for entry in found if cut is None or entry["at"] >= cut]
        ahead = [] if not is_first or kind in ("contact", "event") else _ahead(scene)
        more = scene.url(f"/~{self.name}?kind={kind}&before={_said(cut)}")
        return {
            "ahead": ahead,
            "months": _by_month(shown),
            "more_url": more if len(found) > len(shown) else "",
            "kinds": [
                {"label": label, "url": scene.url(f"/~{self.name}?kind={k}"), "current": k == kind}
                for k, label in KINDS.items()
            ],
            "is_first": is_first,
        }


def _said(at: datetime | None) -> str:
    return at.isoformat().replace("+", "%2B") if at else ""


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = dateparse.parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadQuery("时间线的位置认不出，请从头打开")
    return found


def _by_month(entries: list[dict[str, Any]]) -> list[tuple[date, list[dict[str, Any]]]]:
    months: dict[date, list[dict[str, Any]]] = {}
    for entry in entries:
        months.setdefault(spans.ending(entry["at"])[0].replace(day=1), []).append(entry)
    return list(months.items())


def _ahead(scene: Scene) -> list[dict[str, Any]]:
    coming = [duty for duty in scene.said_owed if duty.state == "OPEN"]
    return [{"duty": duty, "icon": "clock", "at": duty.due} for duty in coming[:6]]


def _past_duties(scene: Scene, before: datetime | None) -> list[dict[str, Any]]:
    found = scene.settled(before)
    entries = []
    for row, duty in zip(found, duties.describe(found, scene.actor), strict=True):
        tone = {"MET": "ok", "LATE": "soon", "BREACHED": "bad"}[row.state]
        entries.append(
            {
                "at": row.moment,
                "is_due": row.state == "BREACHED",
                "tone": tone,
                "seal": "违" if row.state == "BREACHED" else "",
                "icon": "check" if row.state == "MET" else "clock",
                "title": duty.title,
                "url": duty.why_url,
                "clause": duty.clause,
                "name": duty.name,
                "state": tone,
                "clause_url": duty.clause_url,
                "text": _outcome(row),
                "note": str(row.person) if row.person_id else "",
            }
        )
    return entries


def _outcome(row: Any) -> str:
    return {"MET": "按时办结", "LATE": "迟办", "BREACHED": "到期未办"}[row.state]


def _children(scene: Scene, before: datetime | None) -> list[dict[str, Any]]:
    pairs: list[tuple[Source, Any]] = []
    for source in scene.desk.timeline:
        child = records.row_types()[source.record]
        shape = (child, scene.desk.name, source.by, source.at, before is not None)
        given = {"actor": scene.actor, "number": scene.record.pk, "before": before}
        rows = _CHILDREN(*shape, scopes.reach(scene.actor, child), **given)
        pairs += [(source, row) for row in rows]
    entries = []
    for source, row in _as_then(pairs, scene) if scene.as_of else pairs:
        if source.by not in getattr(row, "any_fields", {}):
            setattr(row, source.by, scene.record)
        duties.know(row, scene.actor)
        base = {"at": getattr(row, source.at), "icon": source.icon}
        entries.append({**base, "url": declare.address(row), **source.say(row)})
    return entries


def _as_then(pairs: list[tuple[Source, Any]], scene: Scene) -> list[tuple[Source, Any]]:
    """Those of the rows that were entered by the instant looked back at, as they read then."""
    turned = past.turned((row for _, row in pairs), scene.until)
    then = zip((source for source, _ in pairs), turned, strict=True)
    return [
        (source, row)
        for source, row in then
        if past.was_there(row, scene.until)
        and (at := getattr(row, source.at)) is not None
        and at <= scene.until
    ]


def _dated(child: Any, parent: str, by: str, at: str, is_earlier: bool, seen: scopes.Reach) -> Any:
    rows = (
        child.objects.everything("在范围内").present().filter(scopes.later(seen, child, few=True))
    )
    is_pointer = by in getattr(child, "any_fields", {})
    pointer = {f"{by}_type": parent, f"{by}_id": ready.Slot("number")}
    rows = rows.filter(**pointer if is_pointer else {by: ready.Slot("number")})
    rows = rows.exclude(**{at: None})
    rows = rows.filter(**{f"{at}__lt": ready.Slot("before")}) if is_earlier else rows
    return rows.order_by(f"-{at}", "-pk")[:FETCHED]


_CHILDREN = ready.Ready(_dated)


def _events(scene: Scene, before: datetime | None) -> list[dict[str, Any]]:
    given = {"kind": scene.desk.name, "number": scene.record.pk, "before": before}
    found = _EVENTS(before is not None, **given)
    labels = columns.Labels(scene.actor)
    labels.ask(Person, [event.actor for event in found if event.actor])
    by_column = {f.column: f for f in type(scene.record)._meta.concrete_fields}
    for event in found:
        for column, pair in _shown(event, by_column, scene):
            for value in pair:
                for model, number in columns.references(by_column[column], value):
                    labels.ask(model, [number])
    labels.load()
    return [_event(event, by_column, scene, labels) for event in found]


def _told(is_earlier: bool) -> Any:
    events = Event.objects.everything("这条记录在范围内").filter(
        record=ready.Slot("kind"), record_id=ready.Slot("number")
    )
    events = events.filter(at__lt=ready.Slot("before")) if is_earlier else events
    return events.order_by("-at", "-id")[:FETCHED]


_EVENTS = ready.Ready(_told)


def _shown(
    event: Any, by_column: dict[str, Any], scene: Scene
) -> list[tuple[str, tuple[Any, Any]]]:
    if event.op != "U":
        return []
    return [
        (column, changed(event, column))
        for column in event.diff
        if column in by_column
        and by_column[column].editable
        and by_column[column].name not in scene.hidden
    ]


def _event(
    event: Any, by_column: dict[str, Any], scene: Scene, labels: columns.Labels
) -> dict[str, Any]:
    said, masked = [], scene.facade.masked
    for column, (was, becomes) in _shown(event, by_column, scene):
        field = by_column[column]
        cells = [columns.cell_of(field, value, labels) for value in (was, becomes)]
        texts = [_short(cell, field.name in masked) for cell in cells]
        said.append(f"{field.verbose_name}：{texts[0]} → {texts[1]}")
    said_verb = verb_label(f"{event.record}.{event.action}")
    plain = ACTIONS["create"] if event.op == "C" else ACTIONS["change"]
    verb = ACTIONS.get(event.action) or (plain if "." in said_verb else said_verb)
    return {
        "at": event.at,
        "icon": {"C": "plus", "U": "edit", "D": "x"}[event.op],
        "title": f"{verb}{scene.desk.label}" if event.op == "C" else verb,
        "text": "；".join(said),
        "note": " · ".join(
            filter(None, [labels.name(Person, event.actor) or "系统", event.reason])
        ),
    }


def _short(cell: columns.Cell, is_masked: bool) -> str:
    if cell.kind == "none":
        return "空"
    if cell.kind == "at":
        text = f"{timezone.localtime(cell.value):%Y-%m-%d %H:%M}"
    else:
        text = f"{cell.value:,.2f} 元" if cell.kind == "money" else cell.text
    return columns.mask(text) if is_masked else text[:LONGEST]
