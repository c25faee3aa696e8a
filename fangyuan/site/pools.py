"""The pages of pools: what lies in them, what one may take, what one holds and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fangyuan import door
from fangyuan.access import table
from fangyuan.core.models import Term
from fangyuan.customers import drawing, limits
from fangyuan.customers.models import Customer, Lead, Pool
from fangyuan.desk import duties
from fangyuan.engine.models import Obligation
from fangyuan.org.models import Person

ROWS = 50
HELD_ROWS = 100
MOST_AT_ONCE = 50


@require_safe
def pools(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """What lies in a pool, with what forbids to take it, and the limits as far as they are used."""
    actor, now = request.user, timezone.now()
    known = list(_active())
    chosen = _chosen(known, number, actor)
    free = _free(chosen, actor) if chosen else None
    page = Paginator(free, ROWS).get_page(request.GET.get("page")) if free is not None else None
    used = limits.standing(actor, chosen, now) if chosen else None
    context = {
        "tabs": _tabs(known, chosen, actor),
        "pool": chosen,
        "used": used,
        "is_member": bool(chosen) and _is_open(chosen, actor),
        "lines": _lines(page.object_list, used, actor, now) if page else [],
        "page": page,
        "kind": drawing.model_of(chosen).record_name() if chosen else "customer",
        "may_claim": table.may_act(actor, "customer.claim"),
        "may_assign": table.may_act(actor, "customer.assign_customer"),
        "may_allot": table.may_act(actor, "allotment.allot"),
        "may_set_up": table.may(actor, "pool", "c"),
        "bulk": [{"label": "领取", "icon": "in", "url": f"/pools/{chosen.pk}/claim"}]
        if chosen
        else [],
    }
    return render(request, "site/pools.html", context)


def _active() -> Any:
    rows = Pool.objects.everything("公海的规则人人可见").present().filter(is_active=True)
    return rows.exclude(kind=Pool.Kind.NURTURE).select_related("team").order_by("rank", "id")


def _is_open(pool: Pool, actor: Any) -> bool:
    return pool.team_id is None or pool.team_id in table.sight(actor).above_ids


def _chosen(known: list[Pool], number: int | None, actor: Any) -> Pool | None:
    if number is not None:
        found = next((one for one in known if one.pk == number), None)
        if found is None:
            raise Http404("没有这个公海，或已停用")
        return found
    own = [one for one in known if _is_open(one, actor)]
    return next(iter(own or known), None)


def _tabs(known: list[Pool], chosen: Pool | None, actor: Any) -> list[dict[str, Any]]:
    counts: dict[int, int] = {}
    for model in (Customer, Lead):
        lying = model.objects.seen_by(actor).present().filter(pooled_at__isnull=False)
        counts |= dict(lying.order_by().values_list("pool").annotate(n=Count("pk", distinct=True)))
    tabs = [
        {
            "label": one.name,
            "url": f"/pools/{one.pk}",
            "count": counts.get(one.pk, 0),
            "current": chosen is not None and one.pk == chosen.pk,
        }
        for one in known
    ]
    return [*tabs, {"label": "我在手的", "url": "/pools/held", "count": ""}]


def _free(pool: Pool, actor: Any) -> Any:
    model = drawing.model_of(pool)
    rows = model.objects.seen_by(actor).present().filter(pool=pool, pooled_at__isnull=False)
    return rows.select_related("pool__team", "industry", "region").order_by("-pooled_at", "-pk")


def _lines(rows: Any, used: Any, actor: Any, now: datetime) -> list[dict[str, Any]]:
    found = list(rows)
    kind = found[0].record_name() if found else "customer"
    let_go = limits.last_held(actor, kind, [row.pk for row in found])
    last = _last_owners(kind, [row.pk for row in found])
    return [
        {
            "row": row,
            "name": str(row),
            "sub": " · ".join(str(one) for one in (row.industry, row.region) if one),
            "why_not": limits.against(row, actor, now, known=used, let_go=let_go.get(row.pk)),
            "last": last.get(row.pk, ""),
        }
        for row in found
    ]


def _last_owners(kind: str, numbers: list[int]) -> dict[int, str]:
    """Who held each of these last; a name, for nobody should take over without asking."""
    people = Person._base_manager.filter(
        holdings__subject_type=kind,
        holdings__subject_id__in=numbers,
        holdings__role="OWNER",
        holdings__removed_at=None,
    )
    pairs = people.order_by("holdings__ends_at").values_list("holdings__subject_id", "name")
    return dict(pairs)


@require_POST
def claim(request: HttpRequest, number: int) -> HttpResponse:
    """Take what was picked, each by itself: what a limit forbids is told, the rest is taken."""
    pool = _chosen(list(_active()), number, request.user)
    numbers = [int(one) for one in request.POST.getlist("pick") if one.isdecimal()][:MOST_AT_ONCE]
    rows = {row.pk: row for row in _free(pool, request.user).filter(pk__in=numbers)}
    taken, said = [], []
    for one in numbers:
        if one not in rows:
            said.append("有一个刚被别人领走了")
            continue
        try:
            door.act("claim", rows[one], by=request.user)
        except (door.Denied, door.Refused) as refusal:
            said.append(f"{rows[one]}：{refusal}")
        else:
            taken.append(str(rows[one]))
    if taken:
        more = f" 等 {len(taken)} 个" if len(taken) > 1 else ""
        messages.success(request, f"已领取 {taken[0]}{more}")
    for text in dict.fromkeys(said):
        messages.warning(request, text)
    if not numbers:
        messages.warning(request, "先勾选要领的，再点领取")
    return redirect(f"/pools/{number}")


@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """What one holds, or one's people, by how soon it is recycled; each with the way out."""
    actor = request.user
    is_team = request.GET.get("who") == "team" and bool(table.sight(actor).below_ids)
    rows = Obligation.objects.seen_by(actor).filter(
        subject_type="holding", state__in=("OPEN", "BREACHED"), rule__is_shadow=False
    )
    if not is_team:
        rows = rows.filter(person=actor)
    found = rows.select_related("rule__clause", "person").order_by("due_at", "id")[:HELD_ROWS]
    context = {
        "tabs": [
            *_tabs(list(_active()), None, actor)[:-1],
            {"label": "我在手的", "url": "/pools/held", "count": "", "current": True},
        ],
        "lines": duties.describe(found, actor),
        "is_team": is_team,
        "has_team": bool(set(table.sight(actor).below_ids) - {actor.pk}),
        "reasons": Term.objects.everything("退回原因").filter(domain="return_reason", active=True),
        "may_extend": table.may_act(actor, "customer.extend_hold"),
    }
    return render(request, "site/pools_held.html", context)
