"""The customers room as Django knows it."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The customers room."""

    name = "fangyuan.customers"
    label = "customers"
    verbose_name = "客户与线索"
