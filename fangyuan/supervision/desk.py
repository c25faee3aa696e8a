"""The desks of inspections, findings, notices and incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fangyuan.access import table
from fangyuan.desk.attachments import Attachments
from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Section, View, extend, register
from fangyuan.desk.panels import Comments, Duties, Facts, Panel, Related, Scene
from fangyuan.desk.timeline import Timeline
from fangyuan.engine.models import Obligation
from fangyuan.supervision.models import (
    Acknowledgement,
    Finding,
    Incident,
    Inspection,
    Rectification,
)
from fangyuan.supervision.samples import Sample

SEND = "rectification.issue_rectification"

register(
    Desk(
        model=Inspection,
        columns="kind team inspector about started_at finished_at conclusion",
        filters="kind team inspector started_at finished_at",
        sorts=["started_at", "finished_at"],
        default_sort="-started_at",
        form=[
            Section("检查", "kind team inspector about started_at"),
            Section("内容", "scope checks methods conclusion"),
        ],
        head="kind team inspector started_at finished_at",
        actions=["draw_sample", "finish_inspection"],
        page=[
            Sample(),
            Related(
                "",
                "检查结果",
                record="finding",
                by="inspection",
                show="text verdict subject found_at",
            ),
            Attachments(),
            Timeline(),
            Comments(),
            Facts(),
            Duties(),
        ],
        through=["finding.inspection"],
        views=[View("进行中", {"finished_at": "none"}), View("我的", {"inspector": "me"})],
        icon="glass",
    )
)
register(
    Desk(
        model=Finding,
        columns="text verdict subject inspection method found_at",
        filters="verdict inspection method found_at",
        search=["text"],
        sorts=["found_at"],
        default_sort="-found_at",
        form=[
            Section("检查结果", "inspection subject verdict method found_at text proof obligation")
        ],
        badges=["verdict"],
        head="inspection subject method found_at",
        page=[
            Related(
                "",
                "整改通知",
                record="rectification",
                by="finding",
                show="demand person due_at stage",
            ),
            Attachments(),
            Timeline(),
            Facts(),
            Duties(),
        ],
        views=[View("有问题", {"verdict": "PROBLEM"}, "-found_at")],
        icon="glass",
    )
)


def _called(notice: Any, actor: Any) -> str:
    return str(notice)


register(
    Desk(
        model=Rectification,
        columns=["demand", "person", "stage", "issued_at", "due_at", "closed_at", Due()],
        filters="stage person issued_at due_at closed_at verdict due",
        search=["demand"],
        sorts=["issued_at", "due_at", "closed_at", "due"],
        default_sort="-issued_at",
        form=[
            Section("整改通知", "finding person demand due_at periods issued_at issued_by"),
            Section("整改与复核", "proof submitted_at verdict review reviewed_by closed_at"),
        ],
        badges=["stage"],
        head="person issued_at due_at closed_at",
        actions="issue_rectification sign_rectification submit_rectification review_rectification"
        " postpone_rectification urge_rectification",
        address=lambda notice: f"/supervision/{notice.pk}",
        named=_called,
        page=[Attachments(), Timeline(), Comments(), Facts(), Duties()],
        views=[
            View("未结", {"stage": "ISSUED,SUBMITTED"}, "due_at"),
            View("待复核", {"stage": "SUBMITTED"}, "due_at"),
            View("我的", {"person": "me"}, "due_at"),
        ],
        is_new=False,
        is_edited=False,
        icon="glass",
    )
)
register(
    Desk(
        model=Incident,
        columns=["kind", "stage", "person", "found_at", "responded_at", "closed_at", Due()],
        filters="kind stage person found_at closed_at due",
        sorts=["found_at", "due"],
        default_sort="-found_at",
        form=[
            Section("案件", "kind found_at person"),
            Section("处置", "investigation accountability conclusion", is_more=True),
        ],
        badges=["stage", "kind"],
        head="person found_at responded_at reviewed_at closed_at",
        board="stage",
        actions="respond_incident open_incident account_incident review_incident close_incident",
        page=[Attachments(), Timeline(), Comments(), Facts(), Duties()],
        views=[View("未结", {"stage": "FOUND,INVESTIGATE,ACCOUNT"}, "-found_at")],
        icon="alert",
    )
)
register(
    Desk(
        model=Acknowledgement,
        columns=["said", "clause", "reason", "ends_on"],
        filters="policy clause ends_on",
        search=["clause"],
        sorts=["ends_on"],
        default_sort="-ends_on",
        form=[Section("问题备案", "policy clause said reason ends_on")],
        head="policy clause ends_on",
        page=[Facts(), Timeline()],
        is_new=False,
        is_edited=False,
        icon="glass",
    )
)


@dataclass
class Notices(Panel):
    """The notices that name a duty, and where to send one about a missed one."""

    name: str = "notices"
    title: str = "整改"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        row = scene.record
        named = Rectification.objects.seen_by(scene.actor).present()
        is_missed = row.state in ("BREACHED", "LATE") and row.person_id is not None
        may_send = is_missed and table.may_act(scene.actor, SEND)
        return {
            "notices": list(named.filter(obligations__contains=[row.pk])[:8]),
            "new_url": f"/supervision/new?pick={row.pk}" if may_send else "",
        }


extend(
    Obligation,
    page=[Notices()],
    bulk_pages=[("开整改通知", "/supervision/new", SEND)],
)
