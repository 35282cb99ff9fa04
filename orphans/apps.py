"""Django's registration of the orphans app."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from orphans.sandbox import policy

IN_PRODUCTION = ("landlock", "seccomp")
"""Layers that must hold in production when `SANDBOX_REQUIRE` says nothing."""


class OrphansConfig(AppConfig):
    """The orphans app; its tasks listen to the news of its services."""

    name = "orphans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the tasks' receivers, and tell the sandbox what it must be able to hold."""
        import_module("orphans.tasks")
        wanted = settings.SANDBOX.sandbox_require or (IN_PRODUCTION if settings.PRODUCTION else ())
        warm = policy.Warm(
            idle_seconds=settings.SANDBOX.sandbox_warm_idle_seconds,
            memory_mb=settings.SANDBOX.sandbox_warm_memory_mb,
        )
        policy.configure(wanted, settings.SANDBOX.sandbox_allow_unisolated, warm)
