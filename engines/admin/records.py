"""What the machine writes, in the admin: it can be read, not edited, for that would lie."""

from django.contrib import admin

from engines.admin.base import OfTeams, ReadOnly
from engines.models import (
    Cycle,
    CycleStep,
    CycleTally,
    ModelVersion,
    WorkflowEdge,
    WorkflowGraphState,
    WorkflowRevision,
    WorkflowStages,
)


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
    search_fields = ("engine__name", "sha256__exact")
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
    search_fields = ("engine__name", "workflow__exact", "module_path__exact")
    list_select_related = ("engine",)
    sortable_by = ("id",)


@admin.register(WorkflowEdge)
class WorkflowEdgeAdmin(ReadOnly, OfTeams):
    """How workflows hang together, as measured."""

    list_display = ("engine", "source", "target", "resource", "data", "logical")
    search_fields = ("engine__name", "source__exact", "target__exact")
    list_select_related = ("engine",)


@admin.register(WorkflowGraphState)
class WorkflowGraphStateAdmin(ReadOnly, OfTeams):
    """What the graphs were measured from."""

    list_display = ("engine", "commit", "due", "error", "at")
    search_fields = ("engine__name",)
    list_select_related = ("engine",)


@admin.register(WorkflowStages)
class WorkflowStagesAdmin(ReadOnly, OfTeams):
    """How workflows bore hard conditions."""

    list_display = ("id", "engine", "workflow", "roi", "degradation", "resilience", "entropy", "at")
    search_fields = ("engine__name", "workflow__exact")
    list_select_related = ("engine",)
    sortable_by = ("id",)
