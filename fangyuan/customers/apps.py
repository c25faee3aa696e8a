"""The customers room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The customers room; its facts, verbs and phrases register themselves."""

    name = "fangyuan.customers"
    label = "customers"
    verbose_name = "客户与线索"

    def ready(self) -> None:
        import_module("fangyuan.customers.facts")
        import_module("fangyuan.customers.lead_facts")
        import_module("fangyuan.customers.pool_facts")
        import_module("fangyuan.customers.tag_facts")
        import_module("fangyuan.customers.gaps")
        import_module("fangyuan.customers.actions")
        import_module("fangyuan.customers.lead_actions")
        import_module("fangyuan.customers.pool_actions")
        import_module("fangyuan.customers.scoring")
        import_module("fangyuan.customers.recycling")
        import_module("fangyuan.customers.drawing")
        import_module("fangyuan.customers.arrivals")
        import_module("fangyuan.customers.sending")
        import_module("fangyuan.customers.metrics")
        import_module("fangyuan.customers.phrases")
