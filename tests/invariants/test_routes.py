"""Every face of every record type for every group of people answers as the access table says.

The matrix comes from the registry of desks and the table; a route that no row here speaks of fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection
from django.http import Http404
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django_htmx.middleware import HtmxDetails

from conftest import hire
from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.core import records
from fangyuan.desk import columns, declare, filters, forms, panels, urls
from tests.invariants.rows import Rows

CHINESE = re.compile(r"[一-鿿]")
GROUPS = sorted({*table.table().groups, "*", "admin"})
# Routes that write are tried by people who may not: they must be refused before anything is read.
READS, WRITES, OTHER = "reads", "writes", "other"
ROUTES = {
    "list": READS,
    "record": READS,
    "panel": READS,
    "new": READS,
    "edit": READS,
    "board": READS,
    "history": READS,
    "choices": READS,
    "duplicates": READS,
    "act": READS,
    "cell": READS,
    "import": READS,
    "import_template": READS,
    "import_batch": READS,
    "import_mistakes": READS,
    "import_undo": WRITES,
    "export": READS,
    "save_view": WRITES,
    "bulk_set": WRITES,
    "bulk_act": WRITES,
    "bulk_remove": WRITES,
    "bulk_export": OTHER,
    "reveal": WRITES,
    "move": WRITES,
    "remove": WRITES,
    "restore": WRITES,
    "comment": WRITES,
    "attach": WRITES,
    "attachment": OTHER,
    "paper": READS,
    "paper_pdf": READS,
    "paper_docx": READS,
    "pointers": OTHER,
    "undo": OTHER,
}
MOST_QUERIES = 15
COUNTS = {"tally", "tally_move"}  # sums that the cockpit shows, no records of their own
PUBLIC = {"login", "logout", "healthz", "sw.js", "offline"}


@pytest.fixture
def rows(company):
    """One row of every record type."""
    return Rows(company.li).every()


@pytest.fixture
def person(company):
    """Somebody without a stake in any row, to be seated in any group."""
    with door.acting(by=None, action="test") as deed:
        return hire(deed, "anyone", "任何人", "sales_rep", company.east)


def seated(person: Any, group: str) -> Any:
    """The person as a member of just one group."""
    groups = frozenset({group, "*"})
    person._sight = table.Sight(person.pk, groups, is_admin=group == "admin")
    return person


def seats(person: Any, record: str) -> Iterator[str]:
    """Groups that together have every distinct set of rights on a record type."""
    known = set()
    for group in GROUPS:
        actor = seated(person, group)
        rights = frozenset(g for op in table.OPERATIONS for g in table.grants(actor, record, op))
        if rights not in known:
            known.add(rights)
            yield group


def answer(view: Any, actor: Any, method: str = "get", **more: Any) -> int:
    """The status of a view for an actor, as a fragment: without the shell of the page."""
    request = getattr(RequestFactory(), method)("/", data=more.pop("data", {}))
    request.META["HTTP_HX_REQUEST"] = "true"
    request.user, request.htmx, request.session = actor, HtmxDetails(request), {}
    request._messages = CookieStorage(request)
    try:
        return int(view(request, **more).status_code)
    except Http404:
        return 404


VIEWS = {pattern.name: pattern.callback for pattern in urls.urlpatterns}


def test_every_route_of_the_desk_has_a_row_here():
    assert {pattern.name for pattern in urls.urlpatterns} == set(ROUTES)


def test_every_record_type_with_rights_has_a_desk_and_every_desk_rights():
    known = {desk.name for desk in declare.desks()}
    assert known == set(table.table().records) & set(records.row_types()) - COUNTS


def test_lists_and_pages_answer_as_the_table_says(rows, person):
    wrong = []
    for desk in declare.desks():
        for group in seats(person, desk.name):
            wrong += _wrong(desk, rows[desk.name], seated(person, group), group)
    assert wrong == []


def _wrong(desk: declare.Desk, row: Any, actor: Any, group: str) -> list[Any]:
    may_read = table.may(actor, desk.name, "r")
    is_seen = type(row).objects.seen_by(actor).filter(pk=row.pk).exists()
    expected = {
        "list": 200 if may_read else 403,
        "record": 403 if not may_read else 200 if is_seen else 404,
        "new": _new(desk, actor),
        "edit": _edit(desk, actor, row, is_seen),
    }
    got = {face: answer(VIEWS[face], actor, desk=desk) for face in ("list", "new")}
    got |= {face: answer(VIEWS[face], actor, desk=desk, pk=row.pk) for face in ("record", "edit")}
    return [
        (desk.name, group, face, got[face], expected[face])
        for face in got
        if got[face] != expected[face]
    ]


def _new(desk: declare.Desk, actor: Any) -> int:
    if not table.may(actor, desk.name, "c"):
        return 403
    return 200 if desk.is_new and desk.form else 404


def _edit(desk: declare.Desk, actor: Any, row: Any, is_seen: bool) -> int:
    if not table.may(actor, desk.name, "u"):
        return 403
    if not is_seen:
        return 404
    if not (desk.is_record and desk.is_edited and desk.form):
        return 404
    model = type(row)
    changed = model._base_manager.filter(scopes.rows(actor, model, "u"), pk=row.pk)
    return 200 if changed.exists() else 403


@pytest.mark.parametrize("route", sorted(n for n, kind in ROUTES.items() if kind == WRITES))
def test_nobody_writes_what_they_cannot_see(route, rows, person):
    actor, more = seated(person, "*"), {"name": "name", "verb": "regrade"}
    for desk in declare.desks():
        row = rows[desk.name]
        if type(row).objects.seen_by(actor).filter(pk=row.pk).exists():
            continue
        takes = {"desk": desk, "pk": row.pk, **more}
        pattern = str(next(p for p in urls.urlpatterns if p.name == route).pattern)
        given = {key: value for key, value in takes.items() if f":{key}>" in pattern}
        status = answer(VIEWS[route], actor, "post", data={"pick": row.pk, "go": 1}, **given)
        assert status in (204, 400, 403, 404), (desk.name, route, status)
        kept = type(row)._base_manager.get(pk=row.pk)
        assert getattr(kept, "revision", 1) == getattr(row, "revision", 1)


def test_a_stranger_sees_no_page_of_the_product(db):
    client = Client(raise_request_exception=False)
    shown = []
    for pattern in get_resolver().url_patterns:
        path = str(pattern.pattern)
        if path in PUBLIC or "<" in path or not path:
            continue
        status = client.get(f"/{path}").status_code
        if status not in (301, 302, 401, 403, 404, 405):
            shown.append((path, status))
    for desk in declare.desks():
        for path in (f"/{desk.name}/", f"/{desk.name}/new", f"/{desk.name}/1"):
            if client.get(path).status_code != 302:
                shown.append((path, client.get(path).status_code))
    assert shown == []


def test_queries_of_a_list_do_not_grow_with_its_rows(company):
    made, actor = Rows(company.li), company.boss
    actor.is_admin = True
    for desk in declare.desks():
        made.one(desk.model)
        counts = [_queries(desk, actor, made, rows) for rows in (1, 2, 8)]
        assert counts[-1] <= counts[1] <= MOST_QUERIES, (desk.name, counts)


def _queries(desk: declare.Desk, actor: Any, made: Rows, rows: int) -> int:
    """How many queries the list takes once there are this many rows."""
    while (there := desk.model._base_manager.count()) < rows:
        made.make(desk.model, there + 1)
    seated(actor, "admin")
    with CaptureQueriesContext(connection) as caught:
        assert answer(VIEWS["list"], actor, desk=desk) == 200
    return len(caught)


def test_queries_of_a_record_page_do_not_grow_with_what_belongs_to_it(company):
    made, desk, counts = Rows(company.li), declare.desk_of("customer"), []
    for number in (2, 3, 9):
        for record in ("contact", "activity", "task", "comment", "change"):
            model = declare.desk_of(record).model
            while model._base_manager.count() < number:
                made.make(model, model._base_manager.count())
        seated(company.boss, "admin")
        with CaptureQueriesContext(connection) as caught:
            answer(VIEWS["record"], company.boss, desk=desk, pk=company.customer.pk)
        counts.append(len(caught))
    assert counts[2] <= counts[1]


@pytest.mark.parametrize("desk", declare.desks(), ids=lambda desk: desk.name)
def test_all_that_a_desk_shows_is_chinese(desk):
    said = [desk.label, *(column.heading(desk.model) for column in columns.columns(desk))]
    said += [one.label for one in filters.filters(desk).values()]
    said += [section.title for section in desk.form]
    said += [columns.label_of(desk.model, name) for name in desk.fields()]
    said += [panel.title for panel in desk.page]
    said += [view.name for view in desk.views]
    said += [door.VERBS[f"{desk.name}.{name}"].label for name in desk.actions]
    assert [text for text in said if not CHINESE.search(text)] == []


def test_panels_and_forms_are_there_for_every_desk(rows, company):
    seated(company.boss, "admin")
    for desk in declare.desks():
        for panel in panels.panels(desk, company.boss):
            got = answer(
                VIEWS["panel"], company.boss, desk=desk, pk=rows[desk.name].pk, name=panel.name
            )
            assert got == 200, (desk.name, panel.name)
        form = forms.build(desk, company.boss, company.since)()
        shown = {field.name for part in form.parts() for field in part.fields}
        asked = set(form.fields) - {"revision"}
        assert shown == asked, (desk.name, shown ^ asked)
