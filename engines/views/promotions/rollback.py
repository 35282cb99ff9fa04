"""The way back: what it would restore, and doing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engines.domain.errors import MenaceError
from engines.panels import promotion_page as panels
from engines.panels.promotions import promotion_row
from engines.services import promotions as services
from engines.views.common import actor, person, viewers
from engines.views.promotions.decision import CODES, DONE, NOT_ALLOWED, promotion_of


@require_http_methods(["GET", "HEAD", "POST"])
@viewers
def promotion_rollback(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a roll-back would restore; a POST with a reason does it."""
    promotion = promotion_of(request, pk)
    refused, status = "", 200
    if request.method == "POST":
        try:
            services.rollback(promotion.pk, actor=actor(request), reason=request.POST.get("reason", ""))
        except MenaceError as error:
            refused = str(error)
            status = next((code for kind, code in CODES.items() if isinstance(error, kind)), 409)
        else:
            messages.success(request, DONE["rollback"])
            return redirect("promotion-detail", promotion.pk)
    context = _preview(request, pk)
    typed = request.POST.get("reason", "")[:1000]
    return render(
        request, "promotions/rollback.html", {**context, "refused": refused, "reason": typed}, status=status
    )


def _preview(request: HttpRequest, pk: int) -> dict[str, Any]:
    promotion = promotion_of(request, pk)
    found = services.preview(promotion.pk)
    may = person(request).has_perm(services.DECIDE)
    return {
        "promotion": promotion_row(promotion),
        "alarm": panels.alarm(promotion.alarm) if promotion.rollback_proposed else "",
        "preview": panels.rollback_preview(found),
        "why_not": found["why_not"] if may else NOT_ALLOWED,
    }
