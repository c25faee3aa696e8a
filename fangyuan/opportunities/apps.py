"""The opportunities room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class OpportunitiesConfig(AppConfig):
    """The opportunities room; its facts and phrases register themselves."""

    name = "fangyuan.opportunities"
    label = "opportunities"
    verbose_name = "商机"

    def ready(self) -> None:
        import_module("fangyuan.opportunities.facts")
        import_module("fangyuan.opportunities.opportunity_facts")
        import_module("fangyuan.opportunities.holding_facts")
        import_module("fangyuan.opportunities.pipeline_facts")
        import_module("fangyuan.opportunities.metrics")
        import_module("fangyuan.opportunities.stage_facts")
        import_module("fangyuan.opportunities.moving")
        import_module("fangyuan.opportunities.opportunity_actions")
        import_module("fangyuan.opportunities.forecast_actions")
        import_module("fangyuan.opportunities.snapshots")
        import_module("fangyuan.opportunities.forecast_metrics")
        import_module("fangyuan.opportunities.phrases")
