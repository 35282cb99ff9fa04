"""Engines in the admin: their settings can be edited, through the service that checks and audits."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from engines.admin.base import OfTeams
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.registry import update_engine


@admin.register(Engine)
class EngineAdmin(OfTeams):
    """Engines: their settings can be edited; registering needs the checks of its own form."""

    engine = "pk"

    list_display = (
        "name",
        "enabled",
        "team",
        "base_energy",
        "schedule_seconds",
        "roi_delta_ema",
        "momentum",
        "last_cycle_at",
    )
    list_filter = ("enabled", "team")
    search_fields = ("name", "repository")
    list_select_related = ("team",)
    fields = (
        "name",
        "repository",
        "enabled",
        "team",
        "base_energy",
        "base_cpu_seconds",
        "base_trials",
        "schedule_seconds",
        "seed",
        "roi_ema_alpha",
        "manifest",
        "roi_delta_ema",
        "momentum",
        "last_cycle_at",
        "created_at",
        "created_by",
    )
    settable = (
        "enabled",
        "team",
        "base_energy",
        "base_cpu_seconds",
        "base_trials",
        "schedule_seconds",
        "seed",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return everything that is not a setting."""
        return tuple(
            name for name in self.fields or () if isinstance(name, str) and name not in self.settable
        )

    def save_model(self, request: HttpRequest, obj: Engine, form: Any, change: bool) -> None:
        """Change through the service, which checks and audits."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        user = request.user
        who = Actor(user_id=user.pk, label=user.get_username(), kind="person")
        update_engine(obj.pk, actor=who, **changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a repository is checked on its way in."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: switching off keeps the history."""
        return False
