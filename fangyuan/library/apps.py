"""The library room as Django knows it."""

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """The library room."""

    name = "fangyuan.library"
    label = "library"
    verbose_name = "产品与资料"
