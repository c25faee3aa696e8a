"""The acts about a request for approval as verbs, so that every face offers and logs them alike."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.desk.declare import extend
from fangyuan.desk.duties import phrase
from fangyuan.engine.models import Request


@door.verb("request", label="同意", asks=("comment",))
def agree(deed: door.Deed, request: Any, *, comment: str = "") -> Any:
    """Agree; the last agreement runs what was asked."""
    return _do(deed, request, "AGREE", comment)


@door.verb("request", label="退回", asks=("comment",))
def send_back(deed: door.Deed, request: Any, *, comment: str = "") -> Any:
    """Send it back to the applicant with words."""
    return _do(deed, request, "BACK", comment)


@door.verb("request", label="驳回", asks=("comment",))
def refuse(deed: door.Deed, request: Any, *, comment: str = "") -> Any:
    """Refuse it with words."""
    return _do(deed, request, "REFUSE", comment)


@door.verb("request", label="转交", asks=("person", "comment"))
def forward(deed: door.Deed, request: Any, *, person: Any = None, comment: str = "") -> Any:
    """Hand one's seat to somebody else."""
    return _do(deed, request, "FORWARD", comment, to=person)


@door.verb("request", label="加签", asks=("person", "comment"))
def add_signer(deed: door.Deed, request: Any, *, person: Any = None, comment: str = "") -> Any:
    """Have somebody sign before oneself."""
    return _do(deed, request, "SIGNER", comment, to=person)


@door.verb("request", label="抄送", asks=("person",))
def copy_to(deed: door.Deed, request: Any, *, person: Any = None) -> Any:
    """Send somebody a copy."""
    return _do(deed, request, "COPY", "", to=person)


@door.verb("request", label="评论", asks=("comment",))
def remark(deed: door.Deed, request: Any, *, comment: str = "") -> Any:
    """Say something without deciding."""
    return _do(deed, request, "COMMENT", comment)


@door.verb("request", label="催办")
def urge(deed: door.Deed, request: Any) -> Any:
    """Urge those whose turn it is."""
    return _do(deed, request, "URGE", "")


@door.verb("request", label="撤回")
def withdraw(deed: door.Deed, request: Any) -> Any:
    """Take one's own request back."""
    return _do(deed, request, "WITHDRAW", "")


def _do(deed: door.Deed, request: Any, verdict: str, comment: str, **aim: Any) -> Any:
    return door.decide(request, verdict, by=deed.by, comment=comment, channel=deed.channel, **aim)


ACTS = (agree, send_back, refuse, forward, add_signer, copy_to, remark, urge, withdraw)
extend(Request, actions=[act.__name__ for act in ACTS])
phrase("approval", say="审批", url="/approvals/seat/{id}", act="去审", until="answered_at")
