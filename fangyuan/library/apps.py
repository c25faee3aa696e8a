"""The library room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """The library room; its facts, verbs and what it keeps register themselves."""

    name = "fangyuan.library"
    label = "library"
    verbose_name = "产品与资料"

    def ready(self) -> None:
        import_module("fangyuan.library.facts")
        import_module("fangyuan.library.actions")
        import_module("fangyuan.library.paper_actions")
        import_module("fangyuan.library.keeping")
