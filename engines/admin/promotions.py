"""Promotions in the admin: lists, actions on several, and the page that one is decided on."""

import json
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from engines.admin.base import OfTeams, ReadOnly
from engines.domain.errors import Conflict, InvalidInput, NotAllowed
from engines.domain.results import Actor
from engines.domain.unseen import visible
from engines.models import Promotion
from engines.panels.promotions import reasons, state_word
from engines.services import promotions
from engines.services.promotions import staleness

ACTS = ("approve", "reject")
MOST = 50


@admin.register(Promotion)
class PromotionAdmin(ReadOnly, OfTeams):
    """Promotions: candidates with their evidence. Deciding goes through the service, as everywhere else."""

    list_display = (
        "id",
        "engine",
        "kind",
        "state",
        "verdict",
        "asked_for_by",
        "decided_by_whom",
        "created_at",
        "applied_at",
        "decide_link",
    )
    list_filter = ("state", "verdict", "kind")
    search_fields = ("=id", "engine__name", "evidence_sha256__exact")
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

    @admin.display(description="asked for by")
    def asked_for_by(self, promotion: Promotion) -> str:
        """Return who opened it."""
        return visible(promotion.requested_label) or "the schedule"

    @admin.display(description="decided by")
    def decided_by_whom(self, promotion: Promotion) -> str:
        """Return who decided it."""
        return visible(promotion.decided_label) or "nobody yet"

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
        shown = [promotion_decision(each, user) for each in chosen]
        context = {
            **self.admin_site.each_context(request),
            "title": "Decide on promotions",
            "opts": self.model._meta,
            "shown": shown,
            "none_approvable": not settings.SANDBOX.break_glass and all(each["why_not"] for each in shown),
            "acts": [act] if act else list(ACTS),
            "action": f"{act}_chosen" if act else "",
            "may_decide": self.has_decide_permission(request),
            "break_glass": settings.SANDBOX.break_glass,
        }
        return TemplateResponse(request, "admin/engines/promotion/decide.html", context)


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
        "word": state_word(promotion.state),
        "reasons": reasons(promotion.decision),
        "evidence": visible(json.dumps(promotion.evidence, indent=2, sort_keys=True, ensure_ascii=False)),
        "stale": staleness(promotion) if promotion.is_open else (),
        "why_not": promotions.why_not_approve(promotion, user.pk),
        "decided": f"{promotion.decided_label}: {visible(promotion.reason)}" if promotion.decided_at else "",
    }
