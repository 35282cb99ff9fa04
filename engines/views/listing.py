"""The list of cycles: its columns, and the small language of its search box."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from engines.domain import query
from engines.domain.keyset import Order
from engines.filters import CYCLE_ORDERS, RANGES, CycleFilter
from engines.filters.reading import ListFilter
from engines.panels.cycles import cycle_row, listed, state_pills, triggers
from engines.views import lists
from engines.views.common import cycles_of, viewers

EXPORTED = (
    "id", "engine__name", "state", "trigger", "energy", "created_at", "started_at", "finished_at",
    "duration", "steps_done", "roi_gain", "value", "cost", "roi_delta", "roi_delta_ema", "momentum",
    "cpu_seconds", "seed", "requested_label", "message",
)  # fmt: skip
COLUMN_NAMES = (
    ("trigger", "Trigger"),
    ("started", "Asked for"),
    ("duration", "Duration"),
    ("cost", "Cost"),
    ("energy", "Energy"),
    ("step", "Step"),
    ("who", "Who"),
    ("message", "Message"),
)
CHOICES = {"triggers": triggers(), "ranges": list(RANGES)}
CYCLES = lists.Listing(
    name="cycles",
    noun="cycle",
    url="cycle-list",
    template="engines/cycles.html",
    filter=CycleFilter,
    orders=CYCLE_ORDERS,
    listed=listed,
    rows=lambda rows: map(cycle_row, rows),
    pills=state_pills,
    several=True,
    columns=COLUMN_NAMES,
    exported={
        **{column: column for column in EXPORTED},
        "engine__name": "engine",
        "requested_label": "requested_by",
    },
)


@require_safe
@viewers
def cycle_list(request: HttpRequest) -> HttpResponse:
    """Show the cycles that the filter in the URL lets through, one page of them."""
    if wanted := lists.usual(request, CYCLES):
        return wanted
    given, errors = _spelled_out(request.GET)
    if given is not None and not errors:
        return redirect(f"{request.path}?{given.urlencode()}")
    chosen = CycleFilter.parse(request.GET)
    shown = chosen.without("q") if errors else chosen

    def more(_: ListFilter, order: Order) -> dict[str, Any]:
        typed = request.GET.get("q", "")[:200]
        return {"typed": typed, "chips": _chips(shown, order), "example": query.EXAMPLE, **CHOICES}

    errors = {**chosen.errors, **errors}
    return lists.show(request, CYCLES, cycles_of(request), chosen=shown, errors=errors, more=more)


def _spelled_out(asked: QueryDict) -> tuple[QueryDict | None, dict[str, str]]:
    """Return the address' parameters with the terms of the search box among them, and what is wrong there.

    None: the box holds no terms. A term replaces the parameter of its name.
    """
    typed = query.parse(asked.get("q", ""))
    if not typed.has_terms:
        return None, {}
    given = asked.copy()
    for name in ("q", "cursor", *typed.params, *(("range",) if "since" in typed.params else ())):
        given.pop(name, None)
    given.update({**typed.params, **({"q": typed.text} if typed.text else {})})
    wrong = CycleFilter.parse(given).errors
    told = [*typed.errors, *(f"{name}: {error}" for name, error in wrong.items())]
    return given, {"search": "; ".join(told)} if told else {}


def _chips(chosen: CycleFilter, order: Order) -> list[dict[str, str]]:
    """Return what is filtered without a control of its own, each with the query that drops it."""
    bounds = {
        "roi_min": chosen.roi_min is not None and f"ROI delta {query.said_bound(chosen.roi_min, lower=True)}",
        "roi_max": chosen.roi_max is not None
        and f"ROI delta {query.said_bound(chosen.roi_max, lower=False)}",
        "since": chosen.since and f"from {timezone.localtime(chosen.since):%Y-%m-%d %H:%M %Z}",
        "until": chosen.until and f"until {timezone.localtime(chosen.until):%Y-%m-%d %H:%M %Z}",
        "engine": len(chosen.engine) > 1 and f"engines {', '.join(chosen.engine)}",
        "trigger": len(chosen.trigger) > 1 and f"triggers {', '.join(chosen.trigger)}",
    }
    return [
        {"name": name, "text": text, "query": chosen.without(name).query(order=str(order))}
        for name, text in bounds.items()
        if text
    ]


@require_safe
@viewers
def cycle_news(request: HttpRequest) -> HttpResponse:
    """Return the open rows of a page as they are now, and how many newer ones there are."""
    return lists.news(request, CYCLES, cycles_of(request), "engines/cycle_news.html")


@require_safe
@viewers
def cycle_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Stream every cycle that the filter lets through, newest first."""
    return lists.export(request, CYCLES, cycles_of(request), kind)
