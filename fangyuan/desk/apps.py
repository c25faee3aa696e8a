"""The desk room as Django knows it."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """The desk room."""

    name = "fangyuan.desk"
    label = "desk"
    verbose_name = "工作面"
