"""The supervision room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    """The supervision room; its facts, phrases, metrics and job register themselves."""

    name = "fangyuan.supervision"
    label = "supervision"
    verbose_name = "督导"

    def ready(self) -> None:
        import_module("fangyuan.supervision.facts")
        import_module("fangyuan.supervision.phrases")
        import_module("fangyuan.supervision.metrics")
        import_module("fangyuan.supervision.measure")
