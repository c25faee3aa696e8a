"""The forms room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """The forms room; its facts and metrics register themselves."""

    name = "fangyuan.forms"
    label = "forms"
    verbose_name = "表单与问卷"

    def ready(self) -> None:
        import_module("fangyuan.forms.facts")
        import_module("fangyuan.forms.metrics")
