"""Django's registration of the site."""

from importlib import import_module

from django.apps import AppConfig

LISTENERS = (
    "engines.services.evaluated",
    "engines.services.tallies",
    "forecasting.tasks",
    "engines.services.workflow_graph",
    "menace_site.audit",
    "menace_site.beats",
    "menace_site.celery",
    "menace_site.checks",
    "menace_site.events",
    "menace_site.metrics",
    "menace_site.saved_views",
    "menace_site.theme",
    "menace_site.roles",
)
"""Modules whose receivers and checks are registered by importing them."""


class SiteConfig(AppConfig):
    """The site joins the apps: its receivers are connected here."""

    name = "menace_site"
    verbose_name = "Site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        for module in LISTENERS:
            import_module(module)
