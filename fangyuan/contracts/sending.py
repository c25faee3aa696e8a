"""What goes to a customer is kept as it went: the paper as PDF, with the digest of its content."""

from __future__ import annotations

from typing import Any, Final

from django.core.files.base import ContentFile

from fangyuan import door
from fangyuan.core import press
from fangyuan.desk import attachments, papers
from fangyuan.desk.models import Attachment

KIND: Final = "SENT"


def keep_paper(deed: door.Deed, record: Any) -> Attachment:
    """Keep the paper of a record that was just sent; raises Refused where it cannot be set."""
    fresh = type(record)._base_manager.get(pk=record.pk)
    paper = papers.make(fresh, deed.by, deed.at)
    try:
        content = press.pdf(paper)
    except press.Unprintable as why:
        raise door.Refused([door.Unmet(str(why), "", record=record.record_name())]) from why
    file = ContentFile(content, name=f"{papers.name_of(paper)}.pdf")
    with deed.entrusted():
        return attachments.keep(deed, fresh, file, kind=KIND)
