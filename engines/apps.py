"""Django's registration of the engines app."""

from django.apps import AppConfig


class EnginesConfig(AppConfig):
    """The engines app."""

    name = "engines"
    default_auto_field = "django.db.models.BigAutoField"
