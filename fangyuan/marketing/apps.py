"""The marketing room as Django knows it."""

from django.apps import AppConfig


class MarketingConfig(AppConfig):
    """The marketing room."""

    name = "fangyuan.marketing"
    label = "marketing"
    verbose_name = "市场"
