"""The activities room as Django knows it."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """The activities room; its verbs register with the door."""

    name = "fangyuan.activities"
    label = "activities"
    verbose_name = "活动"

    def ready(self) -> None:
        if find_spec("fangyuan.core.facts"):
            import_module("fangyuan.activities.actions")
