"""The faces of a record type over HTTP: list, page, panels, forms, verbs; others do the work."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fangyuan import door
from fangyuan.access import looks, scopes, table
from fangyuan.core import records
from fangyuan.core.models import Term
from fangyuan.desk import (
    bulk,
    columns,
    debts,
    duties,
    filters,
    forms,
    inputs,
    looking_back,
    pages,
    panels,
    searching,
    undo,
)
from fangyuan.desk.declare import Desk
from fangyuan.desk.exchange import pages as loading
from fangyuan.desk.models import Comment, SavedView
from fangyuan.desk.replies import done, face, outcome, refused, scene, seen
from fangyuan.org import models as org
from fangyuan.org import posting
from fangyuan.org.models import Message, Person

SUGGESTED = 12
REVEALS_PER_HOUR = looks.PER_HOUR
MENTION = re.compile(r"@(\S{2,10})")


@require_GET
@face("r")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list; of a further page only the rows, and of another search only what it found."""
    query = pages.read(request.GET, desk) if request.GET else pages.opening(desk)
    page = pages.ListPage(desk, query, request.user, timezone.now())
    context = {"page": page, "desk": desk, "may": _rights(desk, request.user)}
    asked = getattr(request, "htmx", None)
    if asked and not asked.history_restore_request:
        if query.after:
            return render(request, "desk/rows.html", context)
        if asked.target == "list":
            return render(request, "desk/list.html#list", context)
    context["bulk"] = bulk.actions(desk, request.user)
    return render(request, "desk/list.html", context)


def _rights(desk: Desk, actor: Any) -> dict[str, bool]:
    return {
        "create": desk.is_new and bool(desk.form) and table.may(actor, desk.name, "c"),
        "change": desk.is_record and table.may(actor, desk.name, "u"),
        "export": table.may_act(actor, "access_log.export"),
        "import": desk.is_new and loading.may_load(actor, desk),
    }


@require_GET
@looking_back.looks_back
@face("r")
def page(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """The record's page with all its panels."""
    return render(request, "desk/record.html", record_page(scene(request, desk, pk)))


def record_page(look: panels.Scene) -> dict[str, Any]:
    """What a record page shows; special pages begin with it."""
    duties.know(look.record, look.actor)
    shown: list[dict[str, Any]] = [
        {"panel": panel, "ctx": None if panel.waits(look) else panel.context(look)}
        for panel in panels.panels(look.desk, look.actor, is_past=look.as_of is not None)
    ]
    head = {column.name: column for column in columns.columns(look.desk)}
    extra = [head.get(name) or columns.Column(name) for name in look.desk.head]
    for column in extra:
        look.facade.ask([look.record], column.fields())
        if isinstance(column, columns.Due):
            column.found = {look.record.pk: owed[0]} if (owed := look.standing.owed) else {}
        elif look.as_of and isinstance(column, columns.Owner):
            column.found = looking_back.owner(look.record, look.as_of)
            look.facade.labels.ask(Person, column.found.values())
        else:
            column.load([look.record], look.facade, look.now)
    look.facade.labels.load()
    return {
        "scene": look,
        "desk": look.desk,
        "record": look.record,
        "title": look.desk.named(look.record, look.actor) if look.desk.named else look.record,
        "main": [one for one in shown if not one["panel"].is_side],
        "side": [one for one in shown if one["panel"].is_side],
        "badges": [look.facade.cell(look.record, name) for name in look.desk.badges],
        "head": [
            {"label": c.heading(look.desk.model), "cell": c.cell(look.record, look.facade)}
            for c in extra
        ],
        "links": _links(look),
        "verbs": _verbs(look),
        "may_remove": look.may_change,
    }


def _verbs(look: panels.Scene) -> list[Any]:
    if not look.desk.actions or look.as_of:
        return []
    return list(forms.verbs(look.desk, look.actor, look.record))


def _links(look: panels.Scene) -> list[dict[str, str]]:
    if look.as_of:
        return []
    return [
        {"label": link.label, "url": link.to.format(id=look.record.pk), "icon": link.icon}
        for link in look.desk.links
        if table.may(look.actor, link.record, "c") and look.record.removed_at is None
    ]


@require_GET
@looking_back.looks_back
@face("r")
def panel(request: HttpRequest, desk: Desk, pk: int, name: str) -> HttpResponse:
    """One panel of a record page as a fragment."""
    found = desk.panel(name)
    if found is None or not found.is_shown(request.user):
        raise Http404(name)
    look = scene(request, desk, pk)
    if look.as_of and not found.looks_back:
        raise filters.BadQuery(f"“{found.title}”没有过去的样子可看，请回到现在再看")
    context = {"scene": look, "panel": found, "ctx": found.context(look)}
    if getattr(request, "htmx", False):
        return render(request, "desk/panel.html", context)
    return render(request, "desk/panel_page.html", {**context, "desk": desk})


@require_GET
@face("r")
def history(request: HttpRequest, desk: Desk, pk: int, name: str) -> HttpResponse:
    """Every value that a field had, in the drawer."""
    look = scene(request, desk, pk)
    known = columns.field_of(desk.model, name)
    if known is None or name in look.hidden or name in table.masked(desk.name):
        raise Http404(name)
    context = {"scene": look, "label": known.verbose_name, "lines": panels.history(look, name)}
    is_part = getattr(request, "htmx", False)
    return render(request, "desk/history.html" if is_part else "desk/history_page.html", context)


@require_http_methods(["GET", "POST"])
@face("c")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The form of a new record."""
    if not (desk.is_new and desk.form):
        raise Http404(desk.name)
    made = forms.build(desk, request.user, timezone.now(), given=request.GET.dict())
    form = made(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not form.is_valid():
        form.rehearse(lambda: forms.save_new(desk, form, request.user))
    elif request.method == "POST":
        try:
            record = forms.save_new(desk, form, request.user)
        except door.Refused as refusal:
            form.refuse(refusal)
        else:
            steps = [{"do": "remove", "record": desk.name, "id": record.pk}]
            token = undo.keep(request.session, steps, timezone.now())
            return done(request, f"已新建{desk.label}", f"/{desk.name}/{record.pk}", token)
    draft = f"{desk.name}.new"
    return render(request, "desk/form.html", {"desk": desk, "form": form, "draft": draft})


@require_http_methods(["GET", "POST"])
@face("u")
def edit(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """The form of a record as it is; what somebody else changed meanwhile is shown beside."""
    look = scene(request, desk, pk)
    if not (desk.is_record and desk.is_edited and desk.form):
        raise Http404(desk.name)
    if not look.may_change:
        return refused(request, f"你不能改这条{desk.label}，可以找它的负责人")
    record = look.record
    made = forms.build(desk, request.user, look.now, record=record)
    form = made(request.POST or None, initial={"revision": record.revision})
    if request.method == "POST" and not form.is_valid():
        values = form.values(only_changed=True)
        form.rehearse(lambda: door.change(record, values, by=request.user))
    elif request.method == "POST":
        form, answer = _change(request, look, made, form)
        if answer is not None:
            return answer
    draft = f"{desk.name}.{pk}.{record.revision}"
    context = {"desk": desk, "form": form, "record": record, "draft": draft}
    return render(request, "desk/form.html", context)


def _change(
    request: HttpRequest, look: panels.Scene, made: Any, form: forms.DeskForm
) -> tuple[forms.DeskForm, HttpResponse | None]:
    """Change the record, or give the form again with what stood in the way."""
    desk, record, actor = look.desk, look.record, request.user
    values = form.values(only_changed=True)
    revision = form.cleaned_data["revision"]
    was = {name: getattr(record, name) for name in values}
    try:
        changed = door.change(record, values, by=actor, revision=revision)
    except door.Refused as refusal:
        form.refuse(refusal)
    except door.Denied as denied:
        form.say(str(denied))
    except door.Stale as stale:
        seen_now = forms.conflicts(form, desk, actor, stale.record)
        fresh = forms.build(desk, actor, look.now, record=stale.record)
        form = fresh(forms.reopened(form, fresh, stale.record))
        form.is_valid()
        form.conflict = seen_now
        form.stale = True
    else:
        url = f"/{desk.name}/{record.pk}"
        if not values:
            return form, redirect(url)
        step = {"do": "change", "record": desk.name, "id": record.pk, "values": was}
        steps = [{**step, "revision": changed.revision}]
        token = undo.keep(request.session, steps, look.now)
        return form, done(request, f"已改{desk.label}", url, token)
    return form, None


@require_http_methods(["GET", "POST"])
@face("r")
def act(request: HttpRequest, desk: Desk, pk: int, verb: str) -> HttpResponse:
    """Ask for what a verb needs, then do it; it may have to wait for approval."""
    found = door.VERBS.get(f"{desk.name}.{verb}")
    if found is None or verb not in (*desk.actions, *desk.bulk_actions):
        raise Http404(verb)
    record = seen(desk, request.user, pk)
    made = forms.verb_form(found, record, request.user)
    form = made(request.POST if request.method == "POST" else None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        payload = forms.payload(found, form, record)
        try:
            result, steps, why_not = undo.act(found, record, by=request.user, payload=payload)
        except door.Refused as refusal:
            form.unmet = refusal.unmet
            form.offers = debts.offers(refusal.unmet, request.user)
        except (door.Denied, door.Stale) as problem:
            form.problem = str(problem)
        else:
            said = outcome(found.label, result) + (f"，{why_not}" if why_not else "")
            token = undo.keep(request.session, steps, timezone.now()) if steps else ""
            return done(request, said, f"/{desk.name}/{pk}", token)
    context = {"desk": desk, "record": record, "verb": found, "form": form}
    is_part = getattr(request, "htmx", False)
    return render(request, "desk/act.html" if is_part else "desk/act_page.html", context)


@require_POST
@face("r")
def remove(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Move the record to the recycle bin; the toast brings it back."""
    record = seen(desk, request.user, pk)
    try:
        door.remove(record, by=request.user)
    except door.Refused as refusal:
        return refused(request, str(refusal))
    steps = [{"do": "restore", "record": desk.name, "id": pk}]
    token = undo.keep(request.session, steps, timezone.now())
    return done(request, f"已移入回收站：{record}", f"/{desk.name}/", token)


@require_POST
@face("r")
def restore(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Bring a record back from the recycle bin."""
    record = seen(desk, request.user, pk)
    try:
        door.restore(record, by=request.user)
    except door.Refused as refusal:
        return refused(request, str(refusal))
    return done(request, f"已恢复：{record}", f"/{desk.name}/{pk}")


@require_POST
@face("r")
def reveal(request: HttpRequest, desk: Desk, pk: int, name: str) -> HttpResponse:
    """Show a masked value in full and leave a trace of who looked."""
    record = seen(desk, request.user, pk)
    hidden = scopes.veil(request.user, [record])[record.pk]
    if name not in table.masked(desk.name) or name in hidden:
        raise Http404(name)
    terminal = request.META.get("REMOTE_ADDR", "")
    if not looks.look(request.user, record, name, terminal=terminal, most=REVEALS_PER_HOUR):
        return refused(request, looks.ENOUGH)
    context = {"value": getattr(record, name), "desk": desk, "record": record}
    context["label"] = columns.label_of(desk.model, name)
    is_part = getattr(request, "htmx", False)
    return render(request, "desk/revealed.html" if is_part else "desk/reveal_page.html", context)


@require_POST
@face("r")
def comment(request: HttpRequest, desk: Desk, pk: int) -> HttpResponse:
    """Add a remark; colleagues named with @ get a message."""
    record, said = seen(desk, request.user, pk), request.POST.get("text", "").strip()
    if not said:
        return done(request, "先写点什么再发", f"/{desk.name}/{pk}")
    with door.acting(by=request.user, action="comment") as deed:
        values = {"subject": record, "author": request.user, "text": said}
        made = deed.create(Comment, values)
        _tell(made, said, record, request.user, deed.at)
    return done(request, "已发评论", f"/{desk.name}/{pk}#p-comments")


def _tell(made: Any, said: str, record: Any, author: Any, now: Any) -> None:
    named = Person.objects.everything("评论里点名的同事").present()
    named = named.filter(name__in=MENTION.findall(said)).exclude(pk=author.pk)
    with door.acting(by=None, action="mention"):
        posting.post(
            Message(
                person=person,
                kind="NOTICE",
                topic="MENTION",
                subject_type=record.record_name(),
                subject_id=record.pk,
                title=f"{author} 在{record}的评论里提到你",
                text=said,
                sent_at=now,
                step_key=f"comment:{made.pk}:{person.pk}",
            )
            for person in named
        )


@require_POST
@face("r")
def save_view(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Keep the list as it is under a name."""
    query = pages.read(request.GET, desk)
    name = request.POST.get("name", "").strip()
    if not name:
        return done(request, "先给视图起个名字", query.url(f"/{desk.name}/"))
    kept = {**query.chosen, "q": query.words, "sort": query.sort}
    values = {
        "record": desk.name,
        "name": name,
        "owner": request.user,
        "filter": {key: value for key, value in kept.items() if value},
        "columns": list(query.cols),
        "is_shared": request.POST.get("is_shared") == "1",
    }
    try:
        view = door.create(SavedView, values, by=request.user)
    except door.Refused as refusal:
        return done(request, str(refusal), query.url(f"/{desk.name}/"))
    return done(request, f"已存视图“{name}”", query.url(f"/{desk.name}/", view=str(view.pk)))


@require_GET
@face("r")
def choices(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Suggestions for a reference while one types."""
    domain, words = request.GET.get("domain", ""), _typed(request)
    if domain and desk.model is Term:
        rows = Term.objects.seen_by(request.user).present().filter(domain=domain, active=True)
        rows = rows.filter(label__icontains=words) | rows.filter(code__startswith=words)
        found = [f"{term.label} {term.code}" for term in rows.order_by("code")[:SUGGESTED]]
    else:
        found = [inputs.said(row) for row in _matches(desk.model, words, request.user)]
    return render(request, "desk/choices.html", {"choices": found})


def _typed(request: HttpRequest) -> str:
    typed = [value for name, value in request.GET.items() if name != "domain"]
    return str(typed[0]).split(" #")[0].strip() if typed else ""


def _matches(model: Any, words: str, actor: Any) -> list[Any]:
    rows = model.objects.seen_by(actor).present()
    names = [filters.name_field(model)]
    return list(rows.filter(searching.matching(model, names, words, actor))[:SUGGESTED])


@require_GET
def pointers(request: HttpRequest) -> HttpResponse:
    """Suggestions of records of any type while one types."""
    if not org.signed_in(request.user):
        return HttpResponse(status=403)
    found, words = [], _typed(request)
    for kind in inputs.POINTED:
        if words and table.may(request.user, kind, "r"):
            rows = _matches(records.row_types()[kind], words, request.user)[:4]
            found += [f"{row} #{kind}:{row.pk}" for row in rows]
    return render(request, "desk/choices.html", {"choices": found[:SUGGESTED]})


@require_GET
@face("c")
def duplicates(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Records that bear the name being typed already, with who answers for them."""
    if columns.field_of(desk.model, "grams") is None:
        raise Http404(desk.name)
    rows = forms.doubles(desk.model, request.GET.get("name", ""))
    owned = columns.owners(rows)
    named = dict(Person._base_manager.filter(pk__in=owned.values()).values_list("pk", "name"))
    seen_keys = set(
        desk.model.objects.seen_by(request.user)  # type: ignore[attr-defined]
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", flat=True)
    )
    doubles = [
        {"row": row, "owner": named.get(owned.get(row.pk), ""), "is_seen": row.pk in seen_keys}
        for row in rows
        if row.pk in seen_keys or getattr(row, "level", "") != "SECRET"
    ]
    return render(request, "desk/duplicates.html", {"doubles": doubles, "desk": desk})


@require_POST
def take_back(request: HttpRequest, token: str) -> HttpResponse:
    """Undo what was just done."""
    if not org.signed_in(request.user):
        return HttpResponse(status=403)
    back = _here(request)
    steps = undo.take(request.session, token, timezone.now())
    if steps is None:
        return done(request, "撤销的时间已过", back)
    try:
        undo.undo(steps, by=request.user)
    except door.Stale:
        return done(request, "已被别人改过，撤不回来了", back)
    except (door.Denied, door.Refused) as problem:
        return done(request, str(problem), back)
    return done(request, "已撤销", back)


def _here(request: HttpRequest) -> str:
    """The page of ours that the request came from."""
    page = request.META.get("HTTP_REFERER", "")
    return page if url_has_allowed_host_and_scheme(page, {request.get_host()}) else "/"
