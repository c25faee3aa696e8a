"""The metrics room as Django knows it."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    """The metrics room."""

    name = "fangyuan.metrics"
    label = "metrics"
    verbose_name = "指标"
