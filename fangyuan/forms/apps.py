"""The forms room as Django knows it."""

from django.apps import AppConfig


class FormsConfig(AppConfig):
    """The forms room."""

    name = "fangyuan.forms"
    label = "forms"
    verbose_name = "表单与问卷"
