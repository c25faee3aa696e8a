"""The site room as Django knows it."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site room."""

    name = "fangyuan.site"
    label = "site"
    verbose_name = "站点"
