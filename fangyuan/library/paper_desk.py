"""The desks of filed documents and of agreements besides sales contracts."""

from __future__ import annotations

from fangyuan.desk.attachments import Attachments
from fangyuan.desk.columns import Due, Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Facts
from fangyuan.desk.timeline import Timeline
from fangyuan.library.models import Agreement, Document

register(
    Desk(
        model=Document,
        columns=[
            Title("title", sub="place"),
            "kind",
            "form",
            "subject",
            "handler",
            "produced_at",
            "filed_at",
            Due(),
        ],
        filters="kind form handler to_team produced_at filed_at sent_at signed_for_at keep_until"
        " due",
        search=["title", "place"],
        sorts=["produced_at", "filed_at", "due"],
        default_sort="-produced_at",
        form=[
            Section("文档", "title kind form subject handler produced_at"),
            Section("保管", "place keep_until"),
        ],
        head="kind form handler produced_at filed_at place keep_until",
        badges="kind form",
        actions="file_document hand_in_document sign_for_document destroy_document",
        page=[Attachments(), Timeline(), Comments(), Facts(), Duties(), Approvals()],
        views=[
            View("我经手的", {"handler": "me"}, "-produced_at"),
            View("还没归档", {"filed_at": "none"}, "produced_at"),
            View("移交未签收", {"sent_at": "-365d", "signed_for_at": "none"}, "produced_at"),
        ],
        icon="box",
    )
)
register(
    Desk(
        model=Agreement,
        columns=[
            Title("party", sub="scope"),
            "kind",
            "stage",
            "fee",
            "starts_on",
            "ends_on",
            Due(),
        ],
        filters="kind stage person starts_on ends_on signed_at over_scope_at due",
        search=["party", "scope"],
        sorts=["ends_on", "fee", "due"],
        default_sort="ends_on",
        form=[
            Section("协议", "kind party person starts_on ends_on fee"),
            Section("内容", "terms scope item_count"),
        ],
        head="kind party fee starts_on ends_on",
        badges="stage kind",
        actions="review_agreement qualify_agreement sign_agreement note_over_scope"
        " suspend_agreement end_agreement",
        page=[Attachments(), Timeline(), Comments(), Facts(), Duties(), Approvals()],
        views=[
            View("生效中", {"stage": "SIGNED"}, "ends_on"),
            View("订阅", {"kind": "SUBSCRIPTION"}, "ends_on"),
            View("品牌授权", {"kind": "BRAND"}, "ends_on"),
            View("保密协议", {"kind": "NDA"}, "-id"),
        ],
        icon="scale",
    )
)
