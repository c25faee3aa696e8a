"""The invented company's marketing: a year of campaigns, intelligence, and papers for selling."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile

from fangyuan import door
from fangyuan.access.models import AccessLog
from fangyuan.activities.models import Plan, PlanItem
from fangyuan.customers.models import Lead, Touch
from fangyuan.desk.models import Attachment
from fangyuan.forms.models import Form, Response
from fangyuan.library import keeping
from fangyuan.library.models import Material, Product
from fangyuan.marketing.models import Campaign
from fangyuan.metrics.models import Reading, Target
from fangyuan.opportunities.models import Opportunity
from fangyuan.org.models import Team
from fangyuan.site.demo import market_papers as papers
from fangyuan.site.demo import market_texts as texts


class Market(papers.Told):
    """Plans the marketing from a moment, then writes it."""

    def write(self) -> int:
        """Write everything; gives the number of campaigns."""
        with door.acting(by=None, action="demo", reason="示例公司", history=True) as deed:
            products = self._products(deed)
            materials = self._materials(deed, products)
            self._used(materials)
            campaigns = self._campaigns(deed, products)
            self._reached(deed, campaigns)
            self._won()
            papers.write(self, deed, campaigns)
            keeping.keep_all()
        return len(campaigns)

    def _products(self, deed: door.Deed) -> list[Product]:
        known = list(Product.objects.everything("示例").present().order_by("pk"))
        if known:
            return known
        found = []
        for name, model, category, features in texts.PRODUCTS:
            values: dict[str, Any] = {
                "name": name,
                "model": model,
                "category_id": f"product_category:{category}",
            }
            values |= {"features": features, "state": "ON_SALE"}
            found.append(deed.create(Product, values))
        return found

    def _materials(self, deed: door.Deed, products: list[Product]) -> list[Material]:
        found = []
        for place, told in enumerate(texts.MATERIALS):
            code, kind, category, title, level, state, sections, summary = told
            product = products[place % len(products)] if kind in texts.OF_PRODUCTS else None
            at = self.ago(20 + 17 * place % 300)
            is_out = state == "PUBLISHED"
            values: dict[str, Any] = {
                "code": code, "kind": kind, "title": title, "level": level, "state": state,
                "category_id": f"knowledge:{category}", "sections": sections, "product": product,
                "summary": summary, "is_accurate": True, "is_full": True, "is_clear": True,
                "published_at": at if is_out else None,
                "effective_on": at.date() if is_out else None,
            }  # fmt: skip
            material = deed.create(Material, values)
            self._file(deed, material)
            found.append(material)
        return found

    def _file(self, deed: door.Deed, material: Material) -> None:
        body = texts.paper(material.title, material.summary, material.sections).encode()
        name = f"{material.title}.txt"
        values: dict[str, Any] = {
            "name": name,
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        values |= {"file": ContentFile(body, name=name), "kind_id": "attachment:GENERAL"}
        deed.create(Attachment, values, subject=material)

    def _used(self, materials: list[Material]) -> None:
        """Who read what, and what went out to whose leads."""
        people = [p for login, p in self.people.items() if login not in ("admin", "gaoyuan")]
        leads = list(Lead.objects.everything("示例").present().order_by("pk")[:60])
        traces, touches = [], []
        for material in (one for one in materials if one.state == "PUBLISHED"):
            for _ in range(self.luck.randint(2, 26)):
                at = self.ago(self.luck.randint(0, 60), self.luck.randint(9, 18))
                trace = AccessLog(person=self.luck.choice(people), kind="READ", at=at)
                trace.subject, trace.purpose = material, "material"
                traces.append(trace)
            for lead in self.luck.sample(leads, min(len(leads), self.luck.randint(1, 9))):
                if material.level != "EXTERNAL":
                    break
                at = max(lead.occurred_at, self.ago(self.luck.randint(0, 40)))
                sent = AccessLog(person=self.luck.choice(people), kind="SEND_OUT", at=at)
                sent.subject, sent.purpose = material, f"发给 {lead.company}"
                traces.append(sent)
                for kind in ("PUSHED", "OPENED", "DOWNLOADED")[: self.luck.randint(1, 3)]:
                    told: dict[str, Any] = {
                        "recorded_at": at,
                        "imported_at": self.now,
                        "content": "链接",
                    }
                    touches.append(Touch(lead=lead, material=material, kind=kind, at=at, **told))
        AccessLog._base_manager.bulk_create(traces)
        Touch._base_manager.bulk_create(touches)
        self._feedback(materials)

    def _feedback(self, materials: list[Material]) -> None:
        form = Form._base_manager.get(code="MATERIAL", version=1)
        rows = []
        for place, (score, advice) in enumerate(texts.FEEDBACK):
            at = self.ago(3 + 5 * place)
            told: dict[str, Any] = {"submitted_at": at, "recorded_at": at, "imported_at": self.now}
            row = Response(
                form=form, person=self.people["zhoumin"], csat=score, advice=advice, **told
            )
            row.subject = materials[place % 6]
            rows.append(row)
        Response._base_manager.bulk_create(rows)

    def _campaigns(self, deed: door.Deed, products: list[Product]) -> list[Campaign]:
        """Those from which the leads came, told in full, and the rest of the year around them."""
        team = Team._base_manager.get(code="marketing_dept")
        year = self.now.year
        goal = deed.create(
            Target,
            {"metric": "new_leads", "subject": team, "period": str(year), "value": Decimal(600)},
        )
        known = {c.name: c for c in Campaign.objects.everything("示例").present()}
        yearly = deed.create(
            Campaign, {"name": f"{year} 年度推广计划", "kind": "CONTENT", "other_budget": 0}
        )
        found = []
        for told in texts.CAMPAIGNS:
            values = self._campaign(told, products, yearly, goal)
            row = known.get(told["name"])
            for name, value in values.items() if row else ():
                setattr(row, name, value)
            if row:
                row.save()
            found.append(row or deed.create(Campaign, values))
            self._evaluated(deed, found[-1], told)
        self._plan(deed, found, team)
        self._readings(deed, found)
        return found

    def _campaign(
        self, told: dict[str, Any], products: list[Product], yearly: Campaign, goal: Target
    ) -> dict[str, Any]:
        begins = self.ago(told["ago"], 9)
        ends = begins + timedelta(days=told.get("days", 2), hours=8)
        values: dict[str, Any] = {
            **{name: told[name] for name in ("name", "kind", "place", "form", "stage")},
            "plan_line": told.get("line", ""), "starts_at": begins, "ends_at": ends,
            "attendees": "市场部、销售部", **told.get("more", {}),
        }  # fmt: skip
        values |= dict(zip(texts.BUDGET, told["budget"], strict=True))
        if told["stage"] in ("RUNNING", "ENDED", "EVALUATED"):
            values["began_at"] = begins
            values["checks"] = told.get("checks", [])
        if told["stage"] in ("ENDED", "EVALUATED"):
            values["ended_at"] = min(ends, self.now)
        if told["stage"] == "EVALUATED":
            values["evaluated_at"] = min(ends + timedelta(days=6), self.now)
        if told["kind"] == "PROMOTION":
            values["products"] = [product.pk for product in products[:2]]
        if told["kind"] == "AD":
            values |= {"parent": yearly, "goal": goal}
        return values

    def _evaluated(self, deed: door.Deed, campaign: Campaign, told: dict[str, Any]) -> None:
        if "said" not in told or campaign.evaluated_at is None:
            return
        form = Form._base_manager.get(code="EVALUATE", version=1)
        lessons, mistakes, advice = told["said"]
        values: dict[str, Any] = {
            "form": form,
            "person": self.lead,
            "submitted_at": campaign.evaluated_at,
        }
        values |= {"lessons": lessons, "mistakes": mistakes, "advice": advice}
        deed.create(Response, values, subject=campaign)

    def _plan(self, deed: door.Deed, campaigns: list[Campaign], team: Team) -> None:
        year = self.now.year
        at = datetime(year, 1, 12, 15, tzinfo=self.now.tzinfo)
        values: dict[str, Any] = {
            "kind": "CAMPAIGN",
            "title": f"{year} 年度市场活动计划",
            "team": team,
        }
        values |= {
            "person": self.lead,
            "period": str(year),
            "submitted_at": at,
            "stage": "APPROVED",
        }
        values |= {"bases": ["销售目标", "市场需求"], "basis_note": "按新增线索 600 条倒推"}
        plan = deed.create(Plan, values)
        for campaign in campaigns:
            if campaign.plan_line and campaign.starts_at and campaign.starts_at.year == year:
                item: dict[str, Any] = {
                    "plan": plan,
                    "purpose": campaign.plan_line,
                    "at": campaign.starts_at,
                }
                item |= {"place": campaign.place, "content": campaign.form or "按年度计划举办"}
                deed.create(PlanItem, item, subject=team)
        item = {
            "plan": plan,
            "purpose": "年末客户答谢会",
            "place": "苏州",
            "content": "老客户座谈",
        }
        at = datetime(year, 12, 18, 14, tzinfo=self.now.tzinfo)
        deed.create(PlanItem, item, at=at, subject=team)

    def _readings(self, deed: door.Deed, campaigns: list[Campaign]) -> None:
        for campaign in (one for one in campaigns if one.kind == "AD" and one.began_at):
            until, begun = campaign.ended_at or self.now, campaign.began_at or self.now
            weeks = max(1, (until - begun).days // 7)
            for week in range(weeks):
                at = begun + timedelta(days=7 * week + 4, hours=8)
                shown = self.luck.randint(9000, 22000)
                numbers: dict[str, int] = {
                    "AD_IMPRESSIONS": shown,
                    "AD_CLICKS": shown // self.luck.randint(38, 70),
                }
                numbers["AD_SPEND"] = 2600 + 100 * self.luck.randint(0, 9)
                for series, value in numbers.items():
                    told: dict[str, Any] = {"series": series, "at": at, "value": Decimal(value)}
                    told |= {"recorded_at": at, "imported_at": self.now, "source": "投放平台周报"}
                    row = Reading(**told)
                    row.subject = campaign
                    row.save()

    def _reached(self, deed: door.Deed, campaigns: list[Campaign]) -> None:
        """Second touches, so that first, last and even touch do not say the same."""
        leads = list(Lead.objects.everything("示例").present().order_by("pk"))
        later = [one for one in campaigns if one.began_at]
        rows = []
        for lead in self.luck.sample(leads, min(len(leads), 70)):
            campaign = self.luck.choice(later)
            at = max(lead.occurred_at, campaign.began_at) + timedelta(hours=5)
            if at < self.now and campaign.pk != lead.campaign_id:
                kind = self.luck.choice(["ATTENDED", "REGISTERED", "CLICKED"])
                told: dict[str, Any] = {"recorded_at": at, "imported_at": self.now}
                rows.append(Touch(lead=lead, campaign=campaign, kind=kind, at=at, **told))
        Touch._base_manager.bulk_create(rows)

    def _won(self) -> None:
        """Some of the won projects came from leads: their customer is what the lead became."""
        won = Opportunity.objects.everything("示例").present().filter(outcome="WON", lead=None)
        leads = Lead.objects.everything("示例").present().filter(stage="PROSPECT", customer=None)
        won, leads = won.select_related("customer").order_by("pk"), leads.order_by("pk")
        for deal, lead in zip(won, leads, strict=False):
            lead.customer, lead.company = deal.customer, deal.customer.name
            lead.index()
            lead.save()
            deal.lead = lead
            deal.save()
