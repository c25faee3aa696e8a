"""`prepare`: what every installation starts with; run again it leaves unchanged rows alone."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fangyuan import door
from fangyuan.core import models as core
from fangyuan.core import reference
from fangyuan.engine import packs
from fangyuan.engine.models import Policy
from fangyuan.forms import seed as forms_seed
from fangyuan.opportunities import pipelines
from fangyuan.org.models import Person, Team

PASSWORD = "fangyuan"  # noqa: S105 - the first password, to be changed at the first sign-in


class Command(BaseCommand):
    """Load vocabularies, holidays, forms and policies, and make the first administrator."""

    help = "载入字典、节假日、表单与制度，建立管理员"

    def handle(self, *args: Any, **options: Any) -> None:
        with door.acting(by=None, action="prepare", reason="安装") as deed:
            company()
            vocabularies()
            holidays()
            administrator()
            forms_seed.plant(deed)
            pipelines.plant(deed)
        self._policies()

    def _policies(self) -> None:
        """Bring the shipped packs into force; what stands already is not lost to a broken one."""
        try:
            packs.install(packs.shipped())
        except (packs.Broken, packs.Clash) as wrong:
            if not Policy.objects.everything("安装").exists():
                raise CommandError(f"制度没有载入：{wrong}") from wrong
            self.stderr.write(f"制度没有更新，现行制度照旧：{wrong}")


def company() -> None:
    """The root of the team tree."""
    if not Team.objects.everything("安装").filter(code="company").exists():
        Team(code="company", name="公司", kind=Team.Kind.COMPANY).save()


def vocabularies() -> None:
    """Insert new terms and correct changed ones."""
    known = {t.key: t for t in core.Term.objects.everything("安装")}
    fresh, changed = [], []
    for row in reference.terms():
        term = core.Term(
            key=f"{row.domain}:{row.code}",
            domain=row.domain,
            code=row.code,
            label=row.label,
            parent_id=f"{row.domain}:{row.parent_code}" if row.parent_code else None,
            rank=row.rank,
            maps=row.maps,
            definition=row.definition,
            is_open=row.is_open,
        )
        old = known.get(str(term.key))
        if old is None:
            fresh.append(term)
        elif old.label != term.label or old.parent_id != term.parent_id:
            old.label, old.parent_id = term.label, term.parent_id
            changed.append(old)
    core.Term._base_manager.bulk_create(fresh, batch_size=2000)
    core.Term._base_manager.bulk_update(changed, ["label", "parent"], batch_size=500)


def holidays() -> None:
    """Public holidays and make-up days; company days stand in a calendar of their own."""
    known = set(
        core.CalendarDay.objects.everything("安装")
        .filter(calendar_version="public")
        .values_list("on", flat=True)
    )
    core.CalendarDay._base_manager.bulk_create(
        core.CalendarDay(
            on=day.on,
            is_working=day.is_working,
            name=day.name,
            calendar_version="public",
            is_published=day.is_published,
            provenance=day.provenance,
        )
        for day in reference.holidays()
        if day.on not in known
    )


def administrator() -> None:
    """The administrator `admin`, with the password of FY_ADMIN_PASSWORD or a known first one."""
    if Person.objects.everything("安装").filter(login="admin").exists():
        return
    admin = Person(
        login="admin",
        name="系统管理员",
        work_no="0000",
        joined_on=timezone.localdate().replace(month=1, day=1),
        is_admin=True,
        key="admin",
    )
    admin.set_password(os.environ.get("FY_ADMIN_PASSWORD", PASSWORD))
    admin.index()
    admin.save()
