"""Django's registration of the orphans app."""

from django.apps import AppConfig
from django.conf import settings

from orphans.sandbox import policy

IN_PRODUCTION = ("landlock", "seccomp")
"""Layers that must hold in production when `SANDBOX_REQUIRE` says nothing."""


class OrphansConfig(AppConfig):
    """The orphans app."""

    name = "orphans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the sandbox what it must be able to hold."""
        wanted = settings.SANDBOX.sandbox_require or (IN_PRODUCTION if settings.PRODUCTION else ())
        policy.configure(wanted, settings.SANDBOX.sandbox_allow_unisolated)
