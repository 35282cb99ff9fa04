"""Django's registration of the site."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site joins the apps: its receivers are connected here."""

    name = "menace_site"
    default_auto_field = "django.db.models.BigAutoField"
