"""Django's registration of the forecasting app."""

from django.apps import AppConfig


class ForecastingConfig(AppConfig):
    """The forecasting app."""

    name = "forecasting"
    default_auto_field = "django.db.models.BigAutoField"
