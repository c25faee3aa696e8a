"""The site room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site room; it tells the packs what the product offers, and how what it has is doing."""

    name = "fangyuan.site"
    label = "site"
    verbose_name = "站点"

    def ready(self) -> None:
        import_module("fangyuan.site.papers")
        import_module("fangyuan.site.proof.offers")
        import_module("fangyuan.site.vitals")
