"""The desks of questionnaires and of what was answered."""

from __future__ import annotations

from fangyuan.desk import said
from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Facts, Related
from fangyuan.desk.timeline import Timeline
from fangyuan.forms.models import Form, Response, Survey

register(
    Desk(
        model=Form,
        columns="name version kind published_at retired_at",
        said={"covers": said.fields_of("customer")},
        filters="kind published_at retired_at",
        search=["name", "code"],
        sorts=["name"],
        form=[Section("表单", "name code version kind covers published_at retired_at")],
        head="code version kind published_at",
        page=[
            Related(
                "", "填答", record="response", by="form", show="subject person submitted_at verdict"
            ),
            Facts(),
            Approvals(),
        ],
        icon="form",
    )
)
register(
    Desk(
        model=Response,
        said={"covers": said.fields_of("customer")},
        columns=["form", "subject", "person", "submitted_at", "period", "verdict", "score"],
        filters="form person submitted_at verdict period",
        search=["period"],
        sorts=["submitted_at"],
        default_sort="-submitted_at",
        form=[
            Section("填答", "form subject person respondent submitted_at period covers"),
            Section("结论", "verdict csat nps score basis"),
            Section("经验教训", "lessons mistakes advice"),
        ],
        head="form subject submitted_at verdict",
        page=[Facts(), Timeline()],
        views=[View("近 30 天", {"submitted_at": "-30d"}, "-submitted_at")],
        icon="file",
    )
)
register(
    Desk(
        model=Survey,
        columns=[Title("name", sub="form"), "kind", "lead", "starts_on", "ends_on", "sent_at"],
        filters="kind phase lead team starts_on sent_at closed_at",
        search=["name"],
        sorts=["starts_on"],
        default_sort="-starts_on",
        form=[
            Section("调查", "name kind phase form lead team starts_on ends_on sampling subject"),
        ],
        head="kind form lead sent_at closed_at shared_at",
        actions=["send_survey", "close_survey", "share_survey"],
        page=[
            Related(
                "", "填答", record="response", by="occasion", show="subject person submitted_at"
            ),
            Facts(),
            Timeline(),
        ],
        views=[View("进行中", {"closed_at": "none"}, "-starts_on")],
        icon="form",
    )
)
