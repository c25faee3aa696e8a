"""Registers the row scopes with the record base, and what traces say of people."""

from importlib import import_module

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """The access room."""

    name = "fangyuan.access"
    label = "access"
    verbose_name = "权限"

    def ready(self) -> None:
        import_module("fangyuan.access.scopes")
        import_module("fangyuan.access.facts")
