"""What the running product offers to the packs: verbs, pages, metrics, prescribed forms."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from fangyuan import door
from fangyuan.activities import outlines
from fangyuan.desk import declare as desks
from fangyuan.engine.packs import product
from fangyuan.engine.packs.product import Offers
from fangyuan.forms import seed
from fangyuan.library.models import Material
from fangyuan.metrics import declare
from fangyuan.supervision.models import Inspection

# Forms that the regulations themselves prescribe.
FORMS = tuple(f"form.{form['kind']}" for form in seed.prescribed())
# Papers of every kind are kept in the library, in versions, with what they are used for.
PAPERS = tuple(f"material.{kind}" for kind in Material.Kind.values)
# An inspection of each kind is entered with the checks that it went through.
CHECK_LISTS = tuple(f"inspection.{kind}" for kind in Inspection.Kind.values)
# A forecast is a report, a first draft of a proposal a solution of its own kind, with its files.
DRAFTS = ("report.FORECAST", "solution.DRAFT")
# The pages of the domain model by their address: route, and what the route needs.
PAGES: dict[str, tuple[str, dict[str, object]]] = {
    "workbench": ("workbench", {}),
    "cockpit": ("cockpit", {}),
    "clause_page": ("clause", {"number": "KA-1.1"}),
    "customer_list": ("list", {"desk": "customer"}),
    "customer_page": ("record", {"desk": "customer", "pk": 1}),
    "lead_list": ("list", {"desk": "lead"}),
    "opportunity_page": ("record", {"desk": "opportunity", "pk": 1}),
    "forecast_page": ("forecast", {}),
    "decision_page": ("approval", {"number": 1}),
    "process_page": ("process", {}),
    "policy_home": ("list", {"desk": "policy"}),
    "metric_dictionary": ("metric_dictionary", {}),
    "metric_page": ("metric", {"name": "win_rate"}),
    "funnel_page": ("funnel", {}),
    "campaign_plan": ("campaign_plan", {}),
    "intel_page": ("intelligence", {}),
    "analyst_page": ("analysts", {}),
    "material_page": ("record", {"desk": "material", "pk": 1}),
    "tag_effect": ("tag_effect", {}),
    "segment_report": ("segments", {}),
    "operations": ("list", {"desk": "operation"}),
}


def offers() -> Offers:
    """Everything above the engine that a clause may be bound to."""
    # Looking for pages loads every address, and with the addresses the last verbs.
    pages = frozenset(page for page in PAGES if has_page(page))
    return Offers(
        verbs=frozenset(door.VERBS),
        pages=pages,
        metrics=frozenset(declare.METRICS),
        documents=frozenset({*FORMS, *CHECK_LISTS, *DRAFTS, *PAPERS, *outlines.documents()}),
        notices=frozenset({"intel.share_intel", "survey.share_survey"}),
    )


def has_page(page: str) -> bool:
    """Whether the page has an address, and its record type a desk."""
    route, needs = PAGES[page]
    try:
        if "desk" in needs:
            desks.desk_of(str(needs["desk"]))
        reverse(route, kwargs=needs or None)
    except (NoReverseMatch, desks.UnknownDesk):
        return False
    return True


product.register(offers)
