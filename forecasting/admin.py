"""Measured numbers in Django's admin: they can be read but not edited, editing would lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from forecasting.models import (
    CycleMetrics,
    Evaluation,
    Forecast,
    ForecastModel,
    MetricDaily,
    MetricPoint,
    ModuleProgress,
    RoiEvent,
    RoiRollup,
    SynergySample,
    Verdict,
)
from forecasting.services.modules import MAX_AT_ONCE, reopen

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    Base = admin.ModelAdmin
    Pages = Paginator

CAP = 5_000


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whoever is signed in."""

    user_id: int | None
    label: str
    kind: str = "person"


class CappedPaginator(Pages):
    """Counts and pages no further than 5,000 rows: filters reach the rest."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most the cap."""
        rows = self.object_list
        return int(rows.order_by()[:CAP].count()) if isinstance(rows, QuerySet) else min(len(list(rows)), CAP)


class Measured(Base):
    """Rows that only the services write; lists stay quick at millions of rows."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0
    search_fields = ("subject__exact",)  # `=subject` would ignore case, and read every row
    ordering = ("-id",)
    sortable_by = ("id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(MetricPoint)
class MetricPointAdmin(Measured):
    """Single numbers."""

    list_display = ("id", "subject", "name", "value", "at", "source")


@admin.register(MetricDaily)
class MetricDailyAdmin(Measured):
    """Numbers of a day."""

    list_display = ("id", "subject", "name", "day", "count", "total", "low", "high", "last")


@admin.register(RoiEvent)
class RoiEventAdmin(Measured):
    """What each action did to the ROI."""

    list_display = ("id", "subject", "action", "delta", "ema", "source", "at")


@admin.register(RoiRollup)
class RoiRollupAdmin(Measured):
    """ROI events of an hour, a day or a week."""

    list_display = ("id", "subject", "per", "at", "count", "total", "low", "high", "ema")


@admin.register(CycleMetrics)
class CycleMetricsAdmin(Measured):
    """What each cycle measured of a subject."""

    list_display = ("id", "subject", "cycle", "roi", "entropy", "raroi", "confidence", "resilience", "at")


@admin.register(Verdict)
class VerdictAdmin(Measured):
    """Where each subject's ROI is going."""

    list_display = (
        "id",
        "subject",
        "risk",
        "brittle",
        "p_collapse",
        "collapse_in",
        "evidence",
        "cycle",
        "due",
    )
    list_filter = ("risk",)


@admin.register(Forecast)
class ForecastAdmin(Measured):
    """What was foreseen after each source, and how it turned out."""

    list_display = (
        "id",
        "subject",
        "scenario",
        "source",
        "model",
        "risk",
        "confidence",
        "error",
        "settled_at",
    )
    list_filter = ("risk",)


@admin.register(Evaluation)
class EvaluationAdmin(Measured):
    """How training was judged, and what it was worth in the long run."""

    list_display = (
        "id",
        "subject",
        "source",
        "cv_score",
        "passed",
        "long_term_delta",
        "long_term_outcome",
        "at",
    )


@admin.register(SynergySample)
class SynergySampleAdmin(Measured):
    """What running modules together added."""

    list_display = ("id", "subject", "scenario", "source", "roi_delta", "at")


@admin.register(ForecastModel)
class ForecastModelAdmin(Measured):
    """Forecast models that training made; their arrays stay in the database."""

    list_display = ("id", "version", "state", "chosen", "parent", "series", "points", "made_by", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ForecastModel]:
        """Return the rows without their arrays."""
        return ForecastModel.objects.cards()


@admin.register(ModuleProgress)
class ModuleProgressAdmin(Measured):
    """How far modules have come; those that are complete can be opened again."""

    list_display = (
        "id",
        "subject",
        "path",
        "samples",
        "roi_total",
        "entropy",
        "complete",
        "completed_by",
        "reason",
        "reopened_by",
    )
    list_filter = ("complete",)
    actions = ("reopen_chosen",)

    def has_reopen_permission(self, request: HttpRequest) -> bool:
        """Let only superusers: the rows belong to no team here."""
        return bool(request.user.is_active and request.user.is_superuser)

    @admin.action(description="Open the chosen modules again", permissions=["reopen"])
    def reopen_chosen(self, request: HttpRequest, rows: QuerySet[ModuleProgress]) -> None:
        """Let later cycles work on them; done and audited by the service."""
        user = request.user
        who = Person(user_id=user.pk, label=user.get_username())
        found = reopen(rows.values_list("pk", flat=True)[:MAX_AT_ONCE], actor=who, reason="in the admin")
        messages.success(request, f"{len(found)} modules are open again")
