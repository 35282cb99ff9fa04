"""Django's registration of the orphans app."""

from django.apps import AppConfig


class OrphansConfig(AppConfig):
    """The orphans app."""

    name = "orphans"
    default_auto_field = "django.db.models.BigAutoField"
