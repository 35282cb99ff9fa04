"""Django's registration of the alignment app."""

from django.apps import AppConfig


class AlignmentConfig(AppConfig):
    """The alignment app."""

    name = "alignment"
    default_auto_field = "django.db.models.BigAutoField"
