"""Django's registration of the engines app."""

from importlib import import_module

from django.apps import AppConfig


class EnginesConfig(AppConfig):
    """The engines app; its tasks listen to the news of its services."""

    name = "engines"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the tasks' receivers."""
        import_module("engines.tasks")
