"""The engines' rows in Django's admin. What the machine writes can be read, not edited: that would lie."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from engines.domain.results import Actor
from engines.models import Cycle, CycleStep, CycleTally, Engine, ModelVersion, Promotion, WorkflowRevision
from engines.services.registry import update_engine

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    Base = admin.ModelAdmin
    Pages = Paginator

CAP = 5_000


class CappedPaginator(Pages):
    """Counts no further than 5,000 rows and pages no further either: filters reach the rest."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most the cap."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by()[:CAP].count())
        return min(len(list(rows)), CAP)


class Quick(Base):
    """Lists that stay quick at a million rows."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0


class OfTeams(Quick):
    """Rows of engines, of which a team may own some."""

    engine = "engine"  # where a row's engine is found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of engines that the user may see, as everywhere else."""
        rows = super().get_queryset(request)
        user = cast(User, request.user)
        if user.is_superuser:
            return rows
        return rows.filter(**{f"{self.engine}__in": Engine.objects.visible_to(user)})


class ReadOnly(Quick):
    """Rows that only the services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


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


@admin.register(Cycle)
class CycleAdmin(ReadOnly, OfTeams):
    """Cycles."""

    list_display = (
        "id",
        "engine",
        "state",
        "trigger",
        "requested_label",
        "created_at",
        "duration",
        "roi_delta",
        "cost",
        "message",
    )
    list_filter = ("state", "trigger")
    search_fields = ("=id", "engine__name")
    list_select_related = ("engine",)
    sortable_by = ("id", "created_at", "duration", "roi_delta")


@admin.register(CycleStep)
class CycleStepAdmin(ReadOnly, OfTeams):
    """Steps of cycles."""

    engine = "cycle__engine"

    list_display = ("cycle_id", "name", "state", "attempt", "failures", "duration", "cpu_seconds", "note")
    list_filter = ("state", "name")
    search_fields = ("=cycle__id",)
    ordering = ("-id",)
    sortable_by = ()


@admin.register(CycleTally)
class CycleTallyAdmin(ReadOnly, OfTeams):
    """Counts of ended cycles."""

    list_display = ("engine", "state", "bucket", "count", "seconds")
    list_filter = ("state",)
    search_fields = ("engine__name",)
    list_select_related = ("engine",)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, OfTeams):
    """Versions of bots' models."""

    list_display = ("id", "engine", "state", "sha256", "size", "roi_gain", "commit", "cycle_id", "created_at")
    list_filter = ("state",)
    search_fields = ("engine__name", "=sha256")
    list_select_related = ("engine",)
    sortable_by = ("id",)


@admin.register(WorkflowRevision)
class WorkflowRevisionAdmin(ReadOnly, OfTeams):
    """Revisions of bots' workflows."""

    list_display = (
        "id",
        "engine",
        "workflow",
        "state",
        "inserted_step",
        "match_score",
        "cycle_id",
        "created_at",
    )
    list_filter = ("state",)
    search_fields = ("engine__name", "=workflow", "=module_path")
    list_select_related = ("engine",)
    sortable_by = ("id",)


@admin.register(Promotion)
class PromotionAdmin(ReadOnly, OfTeams):
    """Promotions: candidates with their evidence, and what was decided."""

    list_display = (
        "id",
        "engine",
        "kind",
        "state",
        "verdict",
        "requested_label",
        "decided_label",
        "created_at",
        "applied_at",
    )
    list_filter = ("state", "verdict", "kind")
    search_fields = ("=id", "engine__name", "=evidence_sha256")
    list_select_related = ("engine",)
    sortable_by = ("id",)
