"""The engines' rows in Django's admin. What the machine writes can be read, not edited: that would lie."""

import json
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from engines.domain.errors import Conflict, InvalidInput, NotAllowed
from engines.domain.results import Actor
from engines.domain.unseen import visible, visible_data
from engines.models import (
    Cycle,
    CycleStep,
    CycleTally,
    Engine,
    ModelVersion,
    Promotion,
    WorkflowEdge,
    WorkflowGraphState,
    WorkflowRevision,
    WorkflowStages,
)
from engines.services import promotions
from engines.services.promotions import staleness
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


@admin.register(WorkflowEdge)
class WorkflowEdgeAdmin(ReadOnly, OfTeams):
    """How workflows hang together, as measured."""

    list_display = ("engine", "source", "target", "resource", "data", "logical")
    search_fields = ("engine__name", "=source", "=target")
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
    search_fields = ("engine__name", "=workflow")
    list_select_related = ("engine",)
    sortable_by = ("id",)


@admin.register(Promotion)
class PromotionAdmin(ReadOnly, OfTeams):
    """Promotions: candidates with their evidence. Deciding goes through the service, as everywhere else."""

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
        "decide_link",
    )
    list_filter = ("state", "verdict", "kind")
    search_fields = ("=id", "engine__name", "=evidence_sha256")
    list_select_related = ("engine",)
    sortable_by = ("id",)
    actions = ("approve_chosen", "reject_chosen")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may decide on promotions."""
        return request.user.has_perm(promotions.DECIDE)

    def get_urls(self) -> list[Any]:
        """Add the decision page."""
        page = self.admin_site.admin_view(self.decide)
        return [
            path("<path:object_id>/decide/", page, name="engines_promotion_decide"),
            *super().get_urls(),
        ]

    @admin.display(description="decision")
    def decide_link(self, promotion: Promotion) -> str:
        """Return the link to the decision page."""
        address = reverse("admin:engines_promotion_decide", args=[promotion.pk])
        return format_html('<a href="{}">{}</a>', address, "decide" if promotion.is_open else "look")

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show one promotion with its evidence and the form; take the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = self.get_object(request, object_id)
        if chosen is None:
            raise Http404
        act = request.POST.get("act", "")
        if request.method == "POST":
            if not self.has_decide_permission(request) or act not in ACTS:
                raise PermissionDenied
            decide_all(request, [chosen], act)
            return redirect("admin:engines_promotion_decide", chosen.pk)
        return self._page(request, [chosen], act="")

    @admin.action(description="Approve the chosen promotions …", permissions=["decide"])
    def approve_chosen(self, request: HttpRequest, rows: QuerySet[Promotion]) -> HttpResponseBase | None:
        """Ask for a reason, then approve each on the evidence that was shown."""
        return self._chosen(request, rows, "approve")

    @admin.action(description="Reject the chosen promotions …", permissions=["decide"])
    def reject_chosen(self, request: HttpRequest, rows: QuerySet[Promotion]) -> HttpResponseBase | None:
        """Ask for a reason, then reject each."""
        return self._chosen(request, rows, "reject")

    def _chosen(self, request: HttpRequest, rows: QuerySet[Promotion], act: str) -> HttpResponseBase | None:
        chosen = list(rows.select_related("engine").order_by("pk")[:MOST])
        if request.POST.get("act") != act:
            return self._page(request, chosen, act=act)
        decide_all(request, chosen, act)
        return None

    def _page(self, request: HttpRequest, chosen: list[Promotion], *, act: str) -> HttpResponseBase:
        user = cast(User, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": "Decide on promotions",
            "opts": self.model._meta,
            "shown": [promotion_decision(each, user) for each in chosen],
            "acts": [act] if act else list(ACTS),
            "action": f"{act}_chosen" if act else "",
            "may_decide": self.has_decide_permission(request),
            "break_glass": settings.SANDBOX.break_glass,
        }
        return TemplateResponse(request, "admin/engines/promotion/decide.html", context)


ACTS = ("approve", "reject")
MOST = 50


def decide_all(request: HttpRequest, chosen: list[Promotion], act: str) -> None:
    """Decide on each by the service, on the hash that the page showed, and say how each went."""
    user, post = cast(User, request.user), request.POST
    who = Actor(user_id=user.pk, label=user.get_username(), kind="person")
    flags = {name: name in post for name in ("break_glass", "overrule")} if act == "approve" else {}
    decide = promotions.approve if act == "approve" else promotions.reject
    for each in chosen:
        named = post.get(f"evidence_sha256_{each.pk}", "")
        try:
            decide(each.pk, actor=who, reason=post.get("reason", ""), evidence_sha256=named, **flags)
        except (Conflict, InvalidInput, NotAllowed) as error:
            messages.error(request, f"promotion {each.pk}: {error}")
        else:
            messages.success(
                request, f"promotion {each.pk}: {'approved' if act == 'approve' else 'rejected'}"
            )


def promotion_decision(promotion: Promotion, user: User) -> dict[str, Any]:
    """Return what the decision page shows of a promotion, nothing unseen."""
    return {
        "row": promotion,
        "text": visible(promotion.decision["text"]),
        "reasons": visible_data(promotion.decision["reasons"]),
        "evidence": visible(json.dumps(promotion.evidence, indent=2, sort_keys=True, ensure_ascii=False)),
        "stale": staleness(promotion) if promotion.is_open else (),
        "why_not": promotions.why_not_approve(promotion, user.pk),
        "decided": f"{promotion.decided_label}: {visible(promotion.reason)}" if promotion.decided_at else "",
    }
