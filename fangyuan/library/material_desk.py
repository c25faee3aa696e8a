"""The desk of materials: versions, what readers say of them, how much they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Avg, Count

from fangyuan.core import facts
from fangyuan.desk.attachments import Attachments
from fangyuan.desk.columns import Title
from fangyuan.desk.declare import Desk, Section, View, register
from fangyuan.desk.panels import Approvals, Comments, Duties, Panel, Scene
from fangyuan.desk.panels import Facts as Fields
from fangyuan.desk.timeline import Timeline
from fangyuan.forms.models import Form, Response
from fangyuan.library.facts import FEEDBACK, SIDES
from fangyuan.library.models import Material

# RES-5.1.1a: what the materials of a product have to tell; RES-5.2.1b: a contract template.
SECTIONS: Final = ("产品介绍", "产品优势", "技术参数", "应用案例", "使用说明")
SAID: Final = 5


@dataclass
class Sections(Panel):
    """Which of the five parts the current materials of a product tell, and which are missing."""

    name: str = "sections"
    title: str = "资料覆盖"
    is_side: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        there = set(scene.record.material_sections)
        lines = [(name, name in there) for name in SECTIONS]
        return {"lines": lines, "missing": sum(not is_there for _, is_there in lines)}


@dataclass
class Versions(Panel):
    """Every version of the material, the newest first."""

    name: str = "versions"
    title: str = "版本"
    is_side: bool = True
    is_lazy: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = Material.objects.seen_by(scene.actor).present().filter(code=scene.record.code)
        return {"versions": list(rows.order_by("-version"))}


@dataclass
class Usage(Panel):
    """How often it was read and given to customers, and how long nobody has touched it."""

    name: str = "usage"
    title: str = "使用情况"
    is_side: bool = True
    is_lazy: bool = True

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = Material.objects.everything("已按范围取出").filter(pk=scene.record.pk)
        names = ("read_count", "use_count", "unused_days")
        return dict(facts.annotate(rows, names).values(*(f"fact_{name}" for name in names))[0])


@dataclass
class Feedback(Panel):
    """What sales and customers say of it, each side for itself (RES-5.1.3b)."""

    name: str = "feedback"
    title: str = "反馈"

    def context(self, scene: Scene) -> dict[str, Any]:
        rows = Response.objects.everything("资料的反馈人人可看").present()
        rows = rows.filter(subject_type="material", subject_id=scene.record.pk)
        rows = rows.filter(form__kind=FEEDBACK, submitted_at__isnull=False).order_by(
            "-submitted_at"
        )
        form = Form.objects.everything("资料反馈的表单").present().filter(kind=FEEDBACK)
        form = form.filter(retired_at=None).order_by("-version").first()
        told = (
            f"form={form.pk}&subject=material:{scene.record.pk}&person={scene.actor.pk}"
            if form
            else ""
        )
        return {
            "sides": [
                {
                    "label": SIDES[side],
                    **_summed(rows.filter(respondent_id__isnull=side == "SALES")),
                }
                for side in SIDES
            ],
            "said": list(rows.exclude(advice="").select_related("person")[:SAID]),
            "new_url": f"/response/new?{told}" if told else "",
        }


def _summed(rows: Any) -> dict[str, Any]:
    found: dict[str, Any] = rows.order_by().aggregate(count=Count("pk"), mean=Avg("csat"))
    return found


register(
    Desk(
        model=Material,
        columns=[
            Title("title", sub="code"),
            "kind",
            "category",
            "product",
            "version",
            "state",
            "level",
            "published_at",
        ],
        filters="kind category state level product published_at expires_on",
        search=["title", "code", "summary"],
        sorts=["published_at", "title"],
        default_sort="-published_at",
        form=[
            Section("资料", "code version title kind category product"),
            Section("内容", "sections summary effective_on expires_on"),
            Section("来由", "improves answers_change", is_more=True),
        ],
        head="code kind category product effective_on expires_on",
        badges="state level",
        actions="check_material publish_material sign_template enable_template open_to_customers"
        " revise_material retire_material",
        page=[
            Feedback(),
            Comments(),
            Timeline(),
            Attachments(),
            Usage(),
            Versions(),
            Fields(),
            Duties(),
            Approvals(),
        ],
        views=[
            View("现行", {"state": "PUBLISHED"}, "-published_at"),
            View("可对外", {"state": "PUBLISHED", "level": "EXTERNAL"}, "-published_at"),
            View("待核验", {"state": "DRAFT"}, "-id"),
            View("待启用", {"state": "WAITING"}, "-id"),
        ],
        icon="book",
    )
)
