"""The metrics room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    """The metrics room; what it tells of clauses registers itself."""

    name = "fangyuan.metrics"
    label = "metrics"
    verbose_name = "指标"

    def ready(self) -> None:
        import_module("fangyuan.metrics.facts")
        import_module("fangyuan.metrics.actions")
        import_module("fangyuan.metrics.compliance")
        import_module("fangyuan.metrics.readings")
        import_module("fangyuan.metrics.checks")
