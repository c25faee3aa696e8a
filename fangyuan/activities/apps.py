"""The activities room as Django knows it."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    """The activities room."""

    name = "fangyuan.activities"
    label = "activities"
    verbose_name = "活动"
