"""Templates handed in are looked at: they may use the words offered, and change only as drafts."""

from __future__ import annotations

from typing import Any

from fangyuan import door
from fangyuan.access import table
from fangyuan.contracts import contract_papers, papers, stationery
from fangyuan.core import press
from fangyuan.desk import attachments


def wording_for(material: Any) -> Any:
    """What a template of this material may say, or None where it is a template of neither."""
    if (material.kind, material.category_id) == stationery.QUOTES:
        return papers.WORDING
    return contract_papers.WORDING if material.kind == "CONTRACT_TEMPLATE" else None


@attachments.looks_at("material")
def look(deed: door.Deed, material: Any, file: Any) -> None:
    """Refuse a template that asks for words which are not offered, and a change of one in force."""
    if not (deed.is_trusted or table.may(deed.by, "material", "u")):
        raise door.Denied("只有能改这份资料的人能给它传文件，请找资料的归口部门")
    wording = wording_for(material)
    if wording is None or not str(file.name).lower().endswith(stationery.WORD):
        return
    if material.state != "DRAFT":
        raise door.Refused(
            [
                door.Unmet(
                    "已核验的模板不能换文件，请先改版，再在新版上传", "file", record="material"
                )
            ]
        )
    if wrong := press.check(file.read(), wording.sample):
        said = [door.Unmet(one, "file", record="material") for one in wrong]
        raise door.Refused([door.Unmet("模板里有用不了的地方", "file", record="material"), *said])
