"""The integration room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class IntegrationConfig(AppConfig):
    """The integration room; every fresh message comes by here, the worker sends what is due."""

    name = "fangyuan.integration"
    label = "integration"
    verbose_name = "集成"

    def ready(self) -> None:
        import_module("fangyuan.integration.routing")
        import_module("fangyuan.integration.courier")
