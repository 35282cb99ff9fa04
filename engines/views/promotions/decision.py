"""The page that a promotion is decided on: what is known, the decision, what has changed since."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from engines.charts import impact_figure
from engines.domain.errors import Conflict, InvalidInput, MenaceError, NotAllowed, Stale
from engines.models import Promotion
from engines.panels import backtest, surroundings
from engines.panels import promotion_page as panels
from engines.services import promotions as services
from engines.views.common import OPERATE, actor, person, viewers
from engines.views.promotions.listing import promotions_of
from forecasting.charts import forecast_figure

SHOWN = 60
SHOWN_CHOICES = (60, 500, 2_000)
CHART_SECONDS = 10
NOT_ALLOWED = "You may look, but not decide: ask for the role of an approver."
TITLES = {
    Stale: "Its evidence is stale.",
    Conflict: "It can't be done now.",
    NotAllowed: "You may not do this.",
    InvalidInput: "Something is missing.",
}
CODES = {Stale: 409, Conflict: 409, NotAllowed: 403, InvalidInput: 422}
DONE = {
    "approve": "Approved. A worker applies it now.",
    "reject": "Rejected, and its candidate with it.",
    "reconsider": "The gate looked again.",
    "keep": "It is kept; no other roll-back is proposed for it.",
    "rollback": "Rolled back: what was live before is live again.",
}


def promotion_of(request: HttpRequest, pk: int) -> Promotion:
    """Return one promotion with all that its page needs, or 404: a foreign one does not exist."""
    rows = promotions_of(request).select_related("engine", "version", "revision")
    return get_object_or_404(rows, pk=pk)


@require_safe
@viewers
def promotion_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the evidence of one promotion and the form to decide."""
    return render(request, "promotions/detail.html", _page(request, promotion_of(request, pk)))


def _page(request: HttpRequest, promotion: Promotion) -> dict[str, Any]:
    found = surroundings.impact(promotion)
    return {
        "promotion": panels.decision_page(promotion),
        "forecast": panels.forecast(promotion),
        "stages": surroundings.stages(promotion),
        "presets": surroundings.benchmark(promotion),
        "impact": found,
        "figure": impact_figure(found) if found["measured"] else None,
        "backtest": backtest.backtest_page(backtest.backtest(promotion.engine)),
        "shown": shown(request),
        "shown_choices": SHOWN_CHOICES,
        **_rights(request, promotion),
    }


def _rights(request: HttpRequest, promotion: Promotion) -> dict[str, Any]:
    """Return why each act can't be done; the service checks again, whatever the page says."""
    user = person(request)
    may = user.has_perm(services.DECIDE)
    mine = services.self_approval(promotion, user.pk)
    alone = bool(mine) and settings.SANDBOX.break_glass
    why = services.why_not_approve(promotion, user.pk)
    plain = "" if may else NOT_ALLOWED
    deciding = may and promotion.is_open
    held = promotion.verdict == "hold"
    return {
        "why_not": {
            "approve": plain or ("" if why == mine and alone else why),
            "reject": plain,
            "keep": plain,
        },
        "may_break_glass": deciding and alone,
        "may_overrule": deciding and held and services.policy_of(promotion.engine).overrule_holds,
        "may_reconsider": may or user.has_perm(OPERATE),
    }


def shown(request: HttpRequest) -> int:
    """Return how many cycles of history the address asks for."""
    given = request.GET.get("shown", "")
    return int(given) if given.isdecimal() and int(given[:6]) in SHOWN_CHOICES else SHOWN


@require_safe
@viewers
def promotion_freshness(request: HttpRequest, pk: int) -> HttpResponse:
    """Return what has changed since the evidence was gathered; reading the repository takes a moment."""
    promotion = promotion_of(request, pk)
    stale = services.staleness(promotion) if promotion.is_open else ()
    context = {"stale": stale, "open": promotion.is_open, "promotion": {"id": promotion.pk}}
    return render(request, "promotions/freshness.html", context)


@require_safe
@viewers
def promotion_chart(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the figure of the forecast; ten seconds old at most."""
    promotion = promotion_of(request, pk)
    response = JsonResponse(forecast_figure(panels.curve(promotion, shown(request))))
    response["Cache-Control"] = f"private, max-age={CHART_SECONDS}"
    return response


@require_POST
@viewers
def promotion_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Approve, reject, keep, or have the gate look again; a refusal is told beside the form."""
    promotion = promotion_of(request, pk)
    try:
        done = _service(request, act)(promotion.pk)
    except MenaceError as error:
        return _refused(request, promotion.pk, error)
    messages.success(request, DONE[act])
    return redirect("promotion-detail", done.pk)


def _service(request: HttpRequest, act: str) -> Callable[[int], Promotion]:
    who, given = actor(request), request.POST
    reason, named = given.get("reason", ""), given.get("evidence_sha256", "")
    ticked = {name: given.get(name) == "1" for name in ("break_glass", "overrule")}
    match act:
        case "approve":
            return lambda pk: services.approve(pk, actor=who, evidence_sha256=named, reason=reason, **ticked)
        case "reject":
            return lambda pk: services.reject(pk, actor=who, evidence_sha256=named, reason=reason)
        case "keep":
            return lambda pk: services.keep(pk, actor=who, reason=reason)
    return lambda pk: services.reconsider(pk, actor=who)


def _refused(request: HttpRequest, pk: int, error: MenaceError) -> HttpResponse:
    """Show the page as it is by now, with the refusal and what was typed."""
    kind = next((kind for kind in TITLES if isinstance(error, kind)), Conflict)
    refused = {"title": TITLES[kind], "text": str(error), "field": getattr(error, "field", "")}
    page = _page(request, promotion_of(request, pk))
    context = {**page, "refused": refused, "reason": request.POST.get("reason", "")[:1000]}
    return render(request, "promotions/detail.html", context, status=CODES[kind])
