"""The command palette: customers, contacts, clauses, people and actions behind one box."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fangyuan.access import table
from fangyuan.core import text
from fangyuan.customers.models import Contact, Customer
from fangyuan.engine.models import Clause
from fangyuan.org.models import Person
from fangyuan.site import navigation
from fangyuan.site.navigation import Item

MOST = 6


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """Sections of what was found; `>` finds actions only, `#` clauses only."""
    typed = request.GET.get("q", "").strip()[:60]
    only, words = (typed[0], typed[1:].strip()) if typed[:1] in (">", "#") else ("", typed)
    sections: list[dict[str, Any]] = []
    if only in ("", "#"):
        sections += [{"label": "条款", "items": clauses(words)}] if words else []
    if only == "":
        found = [
            {"label": "客户", "items": customers(request.user, words)},
            {"label": "联系人", "items": contacts(request.user, words)},
            {"label": "同事", "items": people(words)},
        ]
        sections = found + sections if words else [recent(request)]
    if only in ("", ">"):
        sections.append({"label": "动作", "items": actions(request.user, words)})
    shown = [s for s in sections if s["items"]]
    return render(request, "parts/palette.html", {"sections": shown, "q": words})


def customers(actor: Any, words: str) -> list[Item]:
    """Customers by a fragment of the name, pinyin or initials."""
    if not words or not table.may(actor, "customer", "r"):
        return []
    rows = Customer.objects.seen_by(actor).present().filter(matching(words))
    return [
        Item(c.name, f"/customer/{c.pk}", "users") for c in rows.only("name").order_by("-id")[:MOST]
    ]


def matching(words: str) -> Q:
    """The condition that a searched record's name, pinyin or initials hold what was typed."""
    condition = Q(grams__contains=text.query_grams(words), name__contains=words)
    for reading in text.pinyin_queries(words):
        condition |= Q(pinyin__contains=reading)
    return condition


def contacts(actor: Any, words: str) -> list[Item]:
    """Contacts by name or exact phone."""
    if len(words) < 2 or not table.may(actor, "contact", "r"):
        return []
    # A phone field refuses letters, so a name is never asked of it.
    same = Q(phone=words) if words.isdigit() else Q(name=words)
    rows = Contact.objects.seen_by(actor).present().filter(same)
    return [
        Item(c.name, f"/customer/{c.customer_id}", "phone")
        for c in rows.select_related("customer")[:MOST]
    ]


def people(words: str) -> list[Item]:
    """Colleagues by name, pinyin or initials."""
    if len(words) < 2:
        return []
    rows = (
        Person.objects.everything("同事名录")
        .present()
        .filter(Q(name__contains=words) | Q(pinyin__contains=words.lower()))
    )
    return [Item(p.name, f"/person/{p.pk}", "smile") for p in rows.only("name")[:MOST]]


def clauses(words: str) -> list[Item]:
    """Clauses by number, short name or words of the text."""
    rows = Clause.objects.everything("条款人人可读").filter(
        Q(number__icontains=words) | Q(title__contains=words) | Q(text__contains=words)
    )
    return [
        Item(f"{c.number} {c.title}", f"/clause/{c.number}", "dial")
        for c in rows.order_by("number")[:MOST]
    ]


def actions(actor: Any, words: str) -> list[Item]:
    """What one may create, and where one may go."""
    entries = [
        Item(f"新建{i.label}", i.url, i.icon, key=i.key.upper()) for i in navigation.quick(actor)
    ]
    entries += [
        Item(f"去{item.label}", item.url, item.icon)
        for group in navigation.groups(actor, "", {})
        for item in group.items
    ]
    initials = words.lower()
    fitting = [
        e
        for e in entries
        if words in e.label or (initials and initials in text.company_pinyin(e.label).key)
    ]
    return fitting[: MOST + 2]


def recent(request: HttpRequest) -> dict[str, Any]:
    """The customers opened last in this session."""
    numbers = request.session.get("recent", [])
    names = {
        c.pk: c.name
        for c in Customer.objects.seen_by(request.user).filter(pk__in=numbers).only("name")
    }
    items = [Item(names[n], f"/customer/{n}", "users") for n in numbers if n in names]
    return {"label": "最近打开", "items": items}
