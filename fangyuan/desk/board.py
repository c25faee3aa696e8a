"""The board: one lane per stage, cards moved by verbs; what a move lacks is said in the lane."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.desk import columns, debts, declare, pages, rows, undo
from fangyuan.desk.declare import Desk
from fangyuan.desk.replies import done, face, outcome, refused, seen, toast

CARDS = 20


@require_GET
@face("r")
def board(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The lanes with their first cards; the list's conditions narrow it too."""
    if not desk.board:
        raise Http404(desk.name)
    now, actor = timezone.now(), request.user
    query = pages.read(request.GET, desk)
    found = rows.found(desk, query, actor, now)
    counts = dict(found.values_list(desk.board).annotate(n=Count("pk")))
    stages = [pair for pair in columns.field_of(desk.model, desk.board).flatchoices if pair[0]]
    cards = _cards(desk, found, [code for code, _ in stages if counts.get(code)], actor, now)
    lanes = [
        {
            "code": code,
            "label": label,
            "count": counts.get(code, 0),
            "cards": cards.get(code, []),
            "list_url": query.with_filter(desk.board, code).url(f"/{desk.name}/"),
        }
        for code, label in stages
    ]
    context = {"desk": desk, "lanes": lanes, "query": query}
    context["chips"] = pages.chips(desk, query, actor, f"/{desk.name}/board")
    context["may_create"] = desk.is_new and table.may(actor, desk.name, "c")
    return render(request, "desk/board.html", context)


def _cards(
    desk: Desk, meant: Any, codes: list[str], actor: Any, now: Any
) -> dict[str, list[dict[str, Any]]]:
    """The first cards of every lane in one query."""
    lanes = [meant.filter(**{desk.board: code}).order_by("-pk")[:CARDS] for code in codes]
    if not lanes:
        return {}
    found = list(lanes[0].union(*lanes[1:], all=True)) if len(lanes) > 1 else list(lanes[0])
    facade = columns.Facade(found, actor, scopes.veil(actor, found))
    shown = [one for one in columns.columns(desk) if one.name != desk.board][:5]
    for column in shown:
        facade.ask(found, column.fields())
        column.load(found, facade, now)
    facade.labels.load()
    said = dict(columns.field_of(desk.model, desk.board).flatchoices)
    cards: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        stage = getattr(row, desk.board)
        nexts = [(code, said[code]) for code in getattr(row, "moves", {}).get(stage, ())]
        cells = [column.cell(row, facade) for column in shown]
        card = {"row": row, "url": f"/{desk.name}/{row.pk}", "cells": cells, "nexts": nexts}
        card["page"] = declare.address(row)
        cards.setdefault(stage, []).append(card)
    return cards


@require_POST
@face("r")
def move(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Move a card to another lane through the verb that governs the stage."""
    if not desk.board:
        raise Http404(desk.name)
    record, to = seen(desk, request.user, pk), request.POST.get("to", "")
    verb = getattr(desk.model, "governed", {}).get(desk.board)
    payload = {desk.board: to}
    try:
        result, token, why_not = _moved(request, desk, record, payload)
    except door.Refused as refusal:
        context = {"unmet": refusal.unmet, "record": record, "desk": desk}
        context["offers"] = debts.offers(refusal.unmet, request.user)
        return render(request, "desk/lacking.html", context, status=422)
    except door.Denied as denied:
        ask = f"/{desk.name}/{pk}/do/{verb}?{urlencode(payload)}"
        if not verb:
            return refused(request, str(denied))
        if not getattr(request, "htmx", False):
            return done(request, str(denied), ask)
        may_be = to in record.moves.get(getattr(record, desk.board), ())
        context = {"problem": str(denied), "ask": ask if may_be else "", "record": record}
        return render(request, "desk/lacking.html", context, status=422)
    said = outcome("移动", result) + (f"，{why_not}" if why_not else "")
    if getattr(request, "htmx", False):
        return toast(HttpResponse(status=204), said, token)
    return done(request, said, f"/{desk.name}/board", token)


def _moved(
    request: HttpRequest, desk: Desk, record: Any, payload: dict[str, str]
) -> tuple[Any, str, str]:
    """Move it: what came of it, the token that takes it back, or why there is none."""
    name = getattr(desk.model, "governed", {}).get(desk.board)
    if name:
        verb = door.VERBS[f"{desk.name}.{name}"]
        result, steps, why_not = undo.act(verb, record, by=request.user, payload=payload)
    else:
        was = {desk.board: getattr(record, desk.board)}
        result, why_not = door.change(record, payload, by=request.user), ""
        step = {"do": "change", "record": desk.name, "id": record.pk, "values": was}
        steps = [{**step, "revision": result.revision}]
    token = undo.keep(request.session, steps, timezone.now()) if steps else ""
    return result, token, why_not
