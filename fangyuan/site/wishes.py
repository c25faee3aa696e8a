"""提醒设置: who wants to be told what by which channel, and when not; and the company's default."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.contrib import messages as told
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import dateparse
from django.views.decorators.http import require_http_methods, require_POST

from fangyuan import door
from fangyuan.access import table
from fangyuan.desk.replies import refused
from fangyuan.integration import routing
from fangyuan.integration.models import TOPICS, Channel, Dispatch, Preference

Mode = Dispatch.Mode
HALF_HOURS = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30)]
BAD_CLOCK = "免打扰的时间写成 21:00 这样，起止都要填；不需要就都留空"


def may_set_company(actor: Any) -> bool:
    """Whether the actor decides the company's default."""
    return any(grant.rows == "all" for grant in table.grants(actor, "preference", "u"))


def _kinds() -> list[tuple[str, str]]:
    """The kinds of channel that are in use, whose messages a person may decide about."""
    used = Channel.objects.everything("有哪些渠道").present().filter(is_on=True)
    known = set(used.values_list("kind", flat=True))
    personal = [one for one in Channel.Kind.choices if one[0] != Channel.Kind.WEBHOOK]
    return [one for one in personal if one[0] in known]


@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What the actor wants."""
    return _page(request, request.user)


@require_http_methods(["GET", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    """What holds for everybody who wants nothing else, and what nobody may switch off."""
    if not may_set_company(request.user):
        return refused(request, "公司默认的提醒由系统管理员设置")
    return _page(request, None)


def _page(request: HttpRequest, person: Any) -> HttpResponse:
    kinds = _kinds()
    wishes = routing.Wishes([person.pk] if person else [])
    kept = wishes.own.get(person.pk) if person else wishes.company
    wrong = ""
    if request.method == "POST":
        try:
            _save(request, person, kept, _read(request.POST, kinds, kept, is_company=not person))
            told.success(request, "提醒设置已保存")
            return redirect(request.path)
        except ValueError:
            wrong = BAD_CLOCK
        except (door.Refused, door.Denied) as problem:
            wrong = str(problem)
    context = {
        "kinds": kinds,
        "lines": [_line(topic, label, kinds, kept, wishes, person) for topic, label in TOPICS],
        "quiet": wishes.quiet(person.pk if person else 0),
        "clocks": _clocks(wishes.quiet(person.pk if person else 0)),
        "half_hours": HALF_HOURS,
        "is_own": person is not None,
        "is_kept": kept is not None,
        "wrong": wrong,
        "may_company": may_set_company(request.user),
        "is_mailed": ("MAIL", "邮件") in kinds and person is not None and not person.email,
    }
    return render(request, "site/preferences.html", context)


def _clocks(quiet: Any) -> list[tuple[str, str, str]]:
    """The two clocks of the form: name, label and what is chosen."""
    chosen = [f"{clock:%H:%M}" if clock else "" for clock in (quiet.since, quiet.until)]
    return [("quiet_from", "从", chosen[0]), ("quiet_until", "到", chosen[1])]


def _line(
    topic: str, label: str, kinds: Any, kept: Any, wishes: routing.Wishes, person: Any
) -> dict[str, Any]:
    """One topic with its cell for each kind of channel."""
    is_locked = topic in wishes.locked
    return {
        "topic": topic,
        "label": label,
        "is_locked": is_locked,
        "is_urgent": topic in wishes.urgent,
        "cells": [
            {
                "name": f"{topic}.{kind}",
                "label": f"{label} {name}",
                "kind": name,
                "chosen": (kept.modes.get(topic, {}).get(kind, "") if kept else ""),
                "options": _options(topic, kind, wishes, is_own=person is not None),
            }
            for kind, name in kinds
        ],
    }


def _options(
    topic: str, kind: str, wishes: routing.Wishes, *, is_own: bool
) -> list[tuple[str, str]]:
    """The modes to choose from; one's own begins with following the company."""
    usual = Mode(wishes.mode(0, topic, kind)).label
    return [("", f"随公司（{usual}）")] * is_own + [(mode.value, str(mode.label)) for mode in Mode]


def _read(given: Any, kinds: Any, kept: Any, *, is_company: bool) -> dict[str, Any]:
    """The values of the form; raises ValueError where a clock cannot be read."""
    modes: dict[str, dict[str, str]] = {
        topic: dict(chosen) for topic, chosen in (kept.modes if kept else {}).items()
    }
    for topic, _ in TOPICS:
        for kind, _ in kinds:
            mode = given.get(f"{topic}.{kind}", "")
            chosen = modes.setdefault(topic, {})
            chosen.pop(kind, None)
            if mode:
                chosen[kind] = mode
    since, until = (_clock(given.get(name, "")) for name in ("quiet_from", "quiet_until"))
    if (since is None) != (until is None):
        raise ValueError(BAD_CLOCK)
    values: dict[str, Any] = {
        "modes": {topic: chosen for topic, chosen in modes.items() if chosen},
        "quiet_from": since,
        "quiet_until": until,
        "rests": "rests" in given,
    }
    if is_company:
        values |= {name: given.getlist(name) for name in ("locked", "urgent")}
    return values


def _clock(text: str) -> time | None:
    if not text.strip():
        return None
    found = dateparse.parse_time(text.strip())
    if found is None:
        raise ValueError(text)
    return found


def _save(request: HttpRequest, person: Any, kept: Any, values: dict[str, Any]) -> None:
    with door.acting(by=request.user, action="set_preference") as deed:
        known = kept or Preference._base_manager.filter(person=person).first()
        if known is None:
            deed.create(Preference, {"person": person, **values})
            return
        if known.removed_at is not None:
            known = deed.restore(known)
        deed.change(known, values)


@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Give one's own wishes up and follow the company again."""
    own = Preference.objects.seen_by(request.user).present().filter(person=request.user).first()
    if own is not None:
        with door.acting(by=request.user, action="set_preference") as deed:
            deed.remove(own)
    told.success(request, "已改回公司默认")
    return redirect("/preferences")
