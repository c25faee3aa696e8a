"""The desk room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DeskConfig(AppConfig):
    """The desk room."""

    name = "fangyuan.desk"
    label = "desk"
    verbose_name = "工作面"

    def ready(self) -> None:
        """Have every room put up its desks; rooms below have theirs here."""
        autodiscover_modules("desk", "actions")
        import_module("fangyuan.desk.tag_actions")
        import_module("fangyuan.desk.signing")
        import_module("fangyuan.desk.checks")
        import_module("fangyuan.desk.exchange.batches")
        import_module("fangyuan.desk.once")
