"""The engine room as Django knows it."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """The engine room."""

    name = "fangyuan.engine"
    label = "engine"
    verbose_name = "规则引擎"
