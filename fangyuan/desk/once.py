"""A submission that carries a token (`X-Fy-Once`) is taken once, however often it arrives.

The token is claimed in the transaction of what it does: a second copy waits for the first to end,
then finds it taken. What was not taken (a refusal, a form shown again) gives its token free.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from fangyuan.desk.models import Submission
from fangyuan.engine import jobs
from fangyuan.org import models as org

KEPT = timedelta(days=30)
LONGEST = 80


class Once:
    """Answers a repeated submission without doing it again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        once = request.headers.get("X-Fy-Once", "")[:LONGEST]
        if not once or request.method != "POST" or not org.signed_in(request.user):
            return self.get_response(request)
        claim = [request.user.pk, once]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO desk_submission (person_id, once, at) VALUES (%s, %s, now())"
                " ON CONFLICT DO NOTHING",
                claim,
            )
            if not cursor.rowcount:
                return HttpResponse(status=204)
            answer = self.get_response(request)
            is_taken = answer.status_code == 204 or 300 <= answer.status_code < 400
            if not (is_taken or connection.needs_rollback):
                cursor.execute(
                    "DELETE FROM desk_submission WHERE person_id = %s AND once = %s", claim
                )
        return answer


def forget() -> int:
    """Drop tokens of submissions that nobody repeats any more; returns how many. For the worker."""
    kept = Submission.objects.everything("旧的提交记号")
    return kept.filter(at__lt=timezone.now() - KEPT).delete()[0]


jobs.register("提交记号", forget)
