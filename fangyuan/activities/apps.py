"""The activities room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """The activities room; its facts, verbs and phrases register themselves."""

    name = "fangyuan.activities"
    label = "activities"
    verbose_name = "活动"

    def ready(self) -> None:
        import_module("fangyuan.activities.facts")
        import_module("fangyuan.activities.lead_facts")
        import_module("fangyuan.activities.opportunity_facts")
        import_module("fangyuan.activities.contract_facts")
        import_module("fangyuan.activities.metrics")
        import_module("fangyuan.activities.meeting_facts")
        import_module("fangyuan.activities.task_facts")
        import_module("fangyuan.activities.campaign_facts")
        import_module("fangyuan.activities.actions")
        import_module("fangyuan.activities.task_actions")
        import_module("fangyuan.activities.meeting_actions")
        import_module("fangyuan.activities.report_actions")
        import_module("fangyuan.activities.phrases")
