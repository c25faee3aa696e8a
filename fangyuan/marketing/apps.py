"""The marketing room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class MarketingConfig(AppConfig):
    """The marketing room; its facts and verbs register themselves."""

    name = "fangyuan.marketing"
    label = "marketing"
    verbose_name = "市场"

    def ready(self) -> None:
        import_module("fangyuan.marketing.facts")
        import_module("fangyuan.marketing.actions")
