"""The core room as Django knows it."""

from django.apps import AppConfig

from fangyuan.core import checks

__all__ = ["CoreConfig", "checks"]


class CoreConfig(AppConfig):
    """The core room."""

    name = "fangyuan.core"
    label = "core"
    verbose_name = "底座"
