"""The contracts room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class ContractsConfig(AppConfig):
    """The contracts room; its facts, papers and verbs register themselves."""

    name = "fangyuan.contracts"
    label = "contracts"
    verbose_name = "方案与合同"

    def ready(self) -> None:
        for module in (
            *("facts", "offer_facts", "contract_facts", "holding_facts", "filing"),
            *("metrics", "sums", "keeping"),
            *("papers", "contract_papers", "checked", "expiry"),
            "contract_actions",
        ):
            import_module(f"fangyuan.contracts.{module}")
