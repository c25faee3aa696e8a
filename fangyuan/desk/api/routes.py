"""The operations of every record type, made from its desk.

Annotations are evaluated here (no `from __future__`): the body of each operation is a class made
for its record type.
"""

from functools import cache
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body, NinjaAPI, Path, Query, Router
from ninja.operation import Operation
from pydantic import BaseModel, Field

from fangyuan import door
from fangyuan.access import scopes, table
from fangyuan.desk import declare, filters, forms, pages, rows
from fangyuan.desk.api import auth, entry, faults
from fangyuan.desk.exchange.export import Export
from fangyuan.desk.replies import outcome

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_OWN = ("page_size", "after", "sort", "q")


class Rows(BaseModel):
    """A page of records, and where the next one begins."""

    rows: list[dict[str, Any]]
    next: str = Field(default="", description="下一页的 after，空为没有了")


class Done(BaseModel):
    """What became of a verb."""

    message: str
    record: dict[str, Any] | None = None


class Entered:
    """Values of a new record and its child, as the desk's form would give them."""

    def __init__(self, own: dict[str, Any], child: dict[str, Any]) -> None:
        self._own, self._child = own, child

    def values(self, *, is_child: bool = False) -> dict[str, Any]:
        """The values of the record, or of its child."""
        return dict(self._child if is_child else self._own)


_made = Operation._create_response_model


@cache
def _model(declared: Any) -> Any:
    return _made(None, declared)  # type: ignore[arg-type]


def build() -> NinjaAPI:
    """The API over all desks there are; its description lists every operation."""
    # ninja makes a model for each status of each operation: a thousand alike, thirty megabytes.
    Operation._create_response_model = lambda _, declared: _model(declared)  # type: ignore[method-assign]
    api = NinjaAPI(
        title="方圆", version="1", urls_namespace="api", docs_url=None, openapi_url=None,
        auth=auth.WAYS, description="用令牌（Authorization: Bearer fy_…）或已登录的会话调用。",
    )  # fmt: skip
    faults.install(api)
    for desk in declare.desks():
        router = Router(tags=[desk.label])
        _reading(router, desk)
        if desk.is_record:
            _writing(router, desk)
            for name in desk.actions:
                if (verb := door.VERBS.get(f"{desk.name}.{name}")) is not None:
                    _acting(router, desk, verb)
        api.add_router(f"/{desk.name}", router)
    return api


def _may(request: HttpRequest, desk: declare.Desk, operation: str) -> None:
    if not table.may(request.user, desk.name, operation):
        said = {"r": "看", "c": "新建", "u": "改", "d": "删除"}[operation]
        raise door.Denied(f"你的岗位不能{said}{desk.label}")


def _seen(request: HttpRequest, desk: declare.Desk, number: int) -> Any:
    _may(request, desk, "r")
    found = scopes.found(request.user, desk.model, number)
    if found is None and desk.besides is not None:
        found = desk.besides(request.user).filter(pk=number).first()
    if found is None:
        raise Http404(f"{desk.label} {number}")
    return found


def _record(request: HttpRequest, record: Any, status: int = 200) -> HttpResponse:
    record.refresh_from_db()
    return faults.spoken(faults.shown(record, request.user), status)


def _reading(router: Router, desk: declare.Desk) -> None:
    query_type = entry.query_of(desk)

    @router.get("/", response={200: Rows, **faults.CODES}, operation_id=f"{desk.name}_list",
                summary=f"{desk.label}列表")  # fmt: skip
    def listed(request: HttpRequest, query: Query[query_type]) -> Any:  # type: ignore[valid-type]
        _may(request, desk, "r")
        return _page(request, desk, query)

    @router.get("/{number}", response={200: dict, **faults.CODES},
                operation_id=f"{desk.name}_read", summary=f"一条{desk.label}")  # fmt: skip
    def one(request: HttpRequest, number: Number) -> Any:
        return faults.spoken(faults.shown(_seen(request, desk, number), request.user))


def _page(request: HttpRequest, desk: declare.Desk, query: Any) -> HttpResponse:
    given = request.GET.copy()
    if any("\0" in value for values in given.lists() for value in values[1]):
        raise filters.BadQuery("条件里有不可见的字符")
    size = int(query.page_size)
    given.pop("page_size", None)
    if not given.get("sort") and desk.default_sort.lstrip("-") == "due":
        given["sort"] = "-id"  # the next duty is a matter of pages, not of programs
    known = set(filters.filters(desk)) | set(_OWN)
    if unknown := sorted({name.partition(".")[0] for name in given} - known):
        raise filters.BadQuery(f"{desk.label}列表不认识条件“{unknown[0][:40]}”")
    asked = pages.read(given, desk)
    found = rows.Rows(desk, asked, request.user, timezone.now())
    if found.name == "due":
        raise filters.BadQuery("接口不能按下一义务排序")
    page, more = found.page(size)
    export = Export(desk.model, request.user, plain=True)
    return faults.spoken({"rows": faults.told(export, page), "next": more})


def _writing(router: Router, desk: declare.Desk) -> None:
    columns = entry.writable(desk)
    if desk.is_new and columns:
        _creating(router, desk, columns)
    if columns:
        _changing(router, desk, columns)

    @router.delete("/{number}", response={200: dict, **faults.CODES},
                   operation_id=f"{desk.name}_remove", summary=f"删{desk.label}")  # fmt: skip
    def removed(request: HttpRequest, number: Number) -> Any:
        found = _seen(request, desk, number)
        return _record(request, door.remove(found, by=request.user, channel="API"))


def _creating(router: Router, desk: declare.Desk, columns: list[Any]) -> None:
    new_type, child_columns = entry.new_of(desk), entry.children(desk)

    @router.post("/", response={201: dict, **faults.CODES}, operation_id=f"{desk.name}_create",
                 summary=f"新建{desk.label}")  # fmt: skip
    def created(request: HttpRequest, given: Body[new_type]) -> Any:  # type: ignore[valid-type]
        _may(request, desk, "c")
        said = given.model_dump(exclude_unset=True)
        own = entry.read(columns, said, request.user)
        child: dict[str, Any] = {}
        for name, found in child_columns.items():
            child |= entry.read(found, said.get(name) or {}, request.user)
        with door.acting(by=request.user, action="create", channel="API", gathers=True):
            record = forms.save_new(desk, Entered(own, child), request.user)  # type: ignore[arg-type]
        return _record(request, record, 201)


def _changing(router: Router, desk: declare.Desk, columns: list[Any]) -> None:
    change_type = entry.change_of(desk)

    @router.patch("/{number}", response={200: dict, **faults.CODES},
                  operation_id=f"{desk.name}_change", summary=f"改{desk.label}")  # fmt: skip
    def changed(request: HttpRequest, number: Number, given: Body[change_type]) -> Any:  # type: ignore[valid-type]
        record = _seen(request, desk, number)
        said = given.model_dump(exclude_unset=True)
        revision = said.pop("revision")
        values = entry.read(columns, said, request.user)
        door.change(record, values, by=request.user, revision=revision, channel="API")
        return _record(request, record)


def _acting(router: Router, desk: declare.Desk, verb: Any) -> None:
    verb_type = entry.verb_of(desk, verb)

    @router.post(f"/{{number}}/{verb.name}", response={200: Done, 202: Done, **faults.CODES},
                 operation_id=f"{desk.name}_{verb.name}", summary=verb.label)  # fmt: skip
    def acted(request: HttpRequest, number: Number, given: Body[verb_type]) -> Any:  # type: ignore[valid-type]
        record = _seen(request, desk, number)
        said = given.model_dump(exclude_unset=True)
        reason = "" if "reason" in verb.asks else said.pop("reason", "")
        form = forms.verb_form(verb, record, request.user)({k: _plain(v) for k, v in said.items()})
        if not form.is_valid():
            raise faults.Wrong(
                [
                    faults.Fault(field=name, message=str(texts[0]))
                    for name, texts in form.errors.items()
                ]
            )
        payload = forms.payload(verb, form, record)
        result = door.act(
            verb.full_name, record, by=request.user, payload=payload, reason=reason, channel="API"
        )
        is_waiting = isinstance(result, door.Waiting)
        record.refresh_from_db()
        said_so = {"message": outcome(verb.label, result)}
        return faults.spoken(
            {**said_so, "record": faults.shown(record, request.user)},
            202 if is_waiting else 200,
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (list, bool)) or value is None else str(value)
