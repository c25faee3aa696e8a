"""Refusals of the API: one shape, in Chinese, with the status that says what kind it is."""

from __future__ import annotations

from typing import Any

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja import errors as ninja
from pydantic import BaseModel, Field
from pydantic_core import to_json

from fangyuan import door
from fangyuan.desk.exchange.export import Export
from fangyuan.desk.filters import BadQuery


class Fault(BaseModel):
    """One thing that is wrong, and where."""

    field: str = ""
    message: str
    clause: str = ""


class Refusal(BaseModel):
    """Why nothing was done."""

    message: str
    errors: list[Fault] = Field(default_factory=list)
    current: dict[str, Any] | None = None


CODES = {400: Refusal, 401: Refusal, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal}
_SAID = {
    400: "请求看不懂，请核对正文是不是 JSON",
    401: "请先登录，或带上有效的令牌",
    403: "没有权限，或页面已过期，请刷新后再试",
    404: "没有这条记录",
    405: "这个地址不支持这种请求",
}
_KINDS = {
    "extra_forbidden": "没有这个字段",
    "missing": "缺少这一项",
    "json_invalid": "不是 JSON",
}


class Wrong(Exception):
    """Values that cannot be taken; carries the findings."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("；".join(fault.message for fault in faults))
        self.faults = faults


def answer(status: int, message: str = "", faults: Any = (), current: Any = None) -> HttpResponse:
    """The response of a refusal."""
    said = Refusal(message=message or _SAID.get(status, "没有做成"), errors=list(faults))
    said.current = current
    return spoken(said.model_dump(exclude_none=True), status)


def spoken(said: Any, status: int = 200) -> HttpResponse:
    """The response with this value as JSON."""
    return HttpResponse(to_json(said), status=status, content_type="application/json")


def install(api: NinjaAPI) -> None:
    """Have the API answer every refusal in this shape."""
    handlers: dict[type[Exception], Any] = {
        ninja.AuthenticationError: lambda request, wrong: answer(401),
        ninja.HttpError: lambda request, wrong: answer(wrong.status_code),
        ninja.ValidationError: lambda request, wrong: answer(
            422, "有几项不对", [_fault(one) for one in wrong.errors]
        ),
        Http404: lambda request, wrong: answer(404),
        BadQuery: lambda request, wrong: answer(400, str(wrong)),
        OverflowError: lambda request, wrong: answer(400, "数字超出范围"),
        DataError: lambda request, wrong: answer(400, "有的值超出范围"),
        door.Denied: lambda request, wrong: answer(403, str(wrong)),
        door.Stale: _stale,
        door.Refused: _refused,
        Wrong: lambda request, wrong: answer(422, "有几项不对", wrong.faults),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _fault(one: dict[str, Any]) -> Fault:
    place = [str(part) for part in one.get("loc", ()) if part not in ("body", "query", "path")]
    field = place[-1] if place and place[-1] != "given" else ""
    return Fault(field=field, message=_KINDS.get(one.get("type", ""), "值的写法不对"))


def _refused(request: HttpRequest, wrong: door.Refused) -> HttpResponse:
    faults = [
        Fault(field=one.field, message=one.sentence, clause=one.clause) for one in wrong.unmet
    ]
    return answer(422, "还不能保存", faults)


def _stale(request: HttpRequest, wrong: door.Stale) -> HttpResponse:
    return answer(409, "刚被别人改过，请核对后再存", current=shown(wrong.record, request.user))


def shown(record: Any, actor: Any) -> dict[str, Any]:
    """A record as the API tells it to this person."""
    export = Export(type(record), actor, plain=True)
    return next(iter(told(export, [record])))


def told(export: Export, rows: list[Any]) -> list[dict[str, Any]]:
    """Records as the API tells them."""
    header = export.header
    return [
        {
            "id": record.pk,
            "revision": getattr(record, "revision", None),
            "recorded_at": _instant(record, "recorded_at"),
            "changed_at": _instant(record, "changed_at"),
            **dict(zip(header, cells, strict=True)),
        }
        for record, cells in zip(rows, export.cells(rows), strict=True)
    ]


def _instant(record: Any, name: str) -> str | None:
    at = getattr(record, name, None)
    return at.isoformat() if at is not None else None
