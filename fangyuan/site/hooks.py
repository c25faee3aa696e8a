"""The address at which leads arrive; it knows no session, only signatures."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from fangyuan.customers import arrivals
from fangyuan.customers.models import Inlet
from fangyuan.desk.api import faults


@csrf_exempt
@login_not_required
@require_POST
def leads(request: HttpRequest, code: str) -> HttpResponse:
    """Take one signed lead: 201 with its number, 200 where it was taken before."""
    inlets = Inlet.objects.everything("线索入口").present().filter(code=code, is_active=True)
    inlet = inlets.select_related("source", "platform", "campaign").first()
    try:
        if inlet is None:
            raise arrivals.NotTaken(404, "没有这个线索入口，或已停用")
        if int(request.headers.get("Content-Length") or 0) > arrivals.LARGEST:
            raise arrivals.NotTaken(413, "正文太大，一条线索不超过 64 KB")
        came = arrivals.Delivery(
            body=request.body,
            number=request.headers.get("X-Fy-Delivery", ""),
            stamp=request.headers.get("X-Fy-Timestamp", ""),
            signature=request.headers.get("X-Fy-Signature", ""),
        )
        lead, is_new = arrivals.take(inlet, came, timezone.now())
    except arrivals.NotTaken as refused:
        answer = faults.answer(refused.status, str(refused), refused.faults)
        if refused.status == 429:
            answer["Retry-After"] = "60"
        return answer
    return faults.spoken({"lead": lead.pk}, 201 if is_new else 200)
