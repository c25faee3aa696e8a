"""The org room as Django knows it."""

from django.apps import AppConfig


class OrgConfig(AppConfig):
    """The org room."""

    name = "fangyuan.org"
    label = "org"
    verbose_name = "组织"
