"""The desks of the tag dictionary and of the values that records have."""

from __future__ import annotations

from fangyuan.desk.columns import Due
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.models import Tag, TagValue
from fangyuan.desk.panels import Approvals, Duties, Facts, Related
from fangyuan.desk.tag_actions import record_tag
from fangyuan.desk.timeline import Timeline

register(
    Desk(
        model=Tag,
        columns="name object group value_type stage is_required level bound_to",
        filters="object group stage is_required level value_type activated_at near_names",
        search=["name", "definition"],
        sorts=["name"],
        form=[
            Section("标签", "name object group value_type values is_required is_closed level"),
            Section("说明", "definition usage refresh bound_to"),
        ],
        head="object group value_type activated_at",
        badges="stage level",
        actions=["activate_tag", "disable_tag", "remove_tag"],
        page=[
            Related("", "取值", record="tag_value", by="tag", show="value subject source checked"),
            Timeline(),
            Facts(),
            Duties(),
            Approvals(),
        ],
        views=[
            View("在用", {"stage": "ACTIVE"}, "name"),
            View("拟用", {"stage": "DRAFT"}, "name"),
            View("必填", {"stage": "ACTIVE", "is_required": "1"}, "name"),
        ],
        icon="tag",
    )
)
register(
    Desk(
        model=TagValue,
        columns=["tag", "value", "subject", "source", "decided_at", "verified", "checked", Due()],
        filters="tag checked verified source decided_at due",
        search=["value"],
        sorts=["decided_at"],
        default_sort="-decided_at",
        form=[Section("标签值", "tag subject value source decided_at verified example")],
        create=record_tag,
        badges=["verified", "checked"],
        actions=["pass_tag", "return_tag", "fix_tag", "doubt_tag", "resolve_tag"],
        bulk_actions=["pass_tag", "return_tag"],
        page=[Facts(), Duties(), Timeline()],
        views=[
            View("待审", {"checked": "WAITING"}),
            View("退改", {"checked": "RETURNED"}),
            View("存疑", {"verified": "DOUBTFUL"}),
        ],
        icon="tag",
    )
)
