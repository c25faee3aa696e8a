"""The customers room as Django knows it."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The customers room; its verbs register with the door."""

    name = "fangyuan.customers"
    label = "customers"
    verbose_name = "客户与线索"

    def ready(self) -> None:
        if find_spec("fangyuan.core.facts"):
            import_module("fangyuan.customers.actions")
