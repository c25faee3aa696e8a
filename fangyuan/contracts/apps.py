"""The contracts room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ContractsConfig(AppConfig):
    """The contracts room; its facts and verbs register themselves."""

    name = "fangyuan.contracts"
    label = "contracts"
    verbose_name = "方案与合同"

    def ready(self) -> None:
        import_module("fangyuan.contracts.facts")
        import_module("fangyuan.contracts.offer_facts")
        import_module("fangyuan.contracts.metrics")
        import_module("fangyuan.contracts.sums")
