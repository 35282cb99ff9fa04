"""The list of cycles: search, filters, order, pages by key."""

import shlex
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from engines import panels
from engines.domain import query
from engines.domain.errors import InvalidInput
from engines.domain.keyset import Order, parse_order
from engines.domain.query import SIZES, USUAL
from engines.filters import CYCLE_ORDERS, RANGES, CycleFilter
from engines.models import Cycle, CycleQuerySet, Engine
from engines.models.paging import Page, capped_count, page
from engines.panels.cycles import listed, triggers
from engines.views.common import cycles_of, is_id, may_operate, person, viewers

SIZE = 50
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
MAX_ENGINES = 200
MAX_LIVE = 200


@require_safe
@viewers
def cycle_list(request: HttpRequest) -> HttpResponse:
    """Show the cycles that the filter in the URL lets through, one page of them."""
    usual = request.session.get(USUAL, "")
    if usual and not request.GET:
        return redirect(f"{request.path}?{usual}")
    given, errors = _spelled_out(request.GET)
    if given is not None and not errors:
        return redirect(f"{request.path}?{given.urlencode()}")
    chosen = CycleFilter.parse(request.GET)
    chosen = chosen.without("q") if errors else chosen
    return _listed(request, chosen, {**chosen.errors, **errors})


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


def _listed(request: HttpRequest, chosen: CycleFilter, errors: dict[str, str]) -> HttpResponse:
    rest = chosen.apart_from_state(cycles_of(request))
    order, errors = _order(request, errors)
    size = _size(request)
    try:
        found = page(
            listed(chosen.in_states(rest)), order=order, cursor=request.GET.get("cursor", ""), size=size
        )
    except InvalidInput:
        return redirect(f"{request.path}?{chosen.query(order=str(order))}")
    context = {
        "filter": chosen,
        "here": chosen.query(order=str(order), size=str(size)),
        "typed": request.GET.get("q", "")[:200],
        "chips": _chips(chosen, order),
        "example": query.EXAMPLE,
        "errors": errors,
        "order": order,
        "size": size,
        **_rows(found, order),
        **_pills(rest, chosen, order),
        **_choices(request, chosen, order),
    }
    return render(request, "engines/cycles.html", context)


def _rows(found: Page[Cycle], order: Order) -> dict[str, Any]:
    newest_first = str(order) == "-id"
    return {
        "page": found,
        "rows": [panels.cycle_row(cycle) for cycle in found.rows],
        "said": f"{len(found.rows)} rows, {'newest first' if newest_first else f'by {order}'}",
        "at_start": newest_first and not found.previous,
    }


def _pills(rest: CycleQuerySet, chosen: CycleFilter, order: Order) -> dict[str, Any]:
    pills = panels.state_pills(rest, chosen.state)
    return {"pills": _linked(pills, chosen, order), "matching": _matching(pills)}


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


def _curl(request: HttpRequest, chosen: CycleFilter) -> str:
    """Return the command that asks the API for the same rows."""
    address = request.build_absolute_uri(f"/api/cycles/?{chosen.query()}")
    return f'curl -H "Authorization: Bearer $TOKEN" {shlex.quote(address)}'


def _matching(pills: list[dict[str, Any]]) -> str:
    """Return how many rows match, from the counts of the chosen states (of all when none is)."""
    chosen = [pill for pill in pills if pill["chosen"]] or pills
    total = sum(min(pill["number"], 1_000) for pill in chosen)
    return f"{total:,}" + ("+" if any(pill["count"].endswith("+") for pill in chosen) else "")


def _choices(request: HttpRequest, chosen: CycleFilter, order: Order) -> dict[str, Any]:
    engines = Engine.objects.visible_to(person(request)).values_list("name", flat=True)
    return {
        "columns": _columns(chosen, order),
        "column_names": COLUMN_NAMES,
        "curl": _curl(request, chosen),
        "engines": list(engines.order_by("name")[:MAX_ENGINES]),
        "triggers": triggers(),
        "ranges": list(RANGES),
        "sizes": SIZES,
        "may_operate": may_operate(request),
        "query": chosen.query(),
        "ordered": chosen.query(order=str(order)),
    }


def _order(request: HttpRequest, errors: dict[str, str]) -> tuple[Order, dict[str, str]]:
    try:
        return parse_order(request.GET.get("order") or "-id", CYCLE_ORDERS), errors
    except InvalidInput as error:
        return Order("id", descending=True), {**errors, "order": str(error)}


def _size(request: HttpRequest) -> int:
    """Return the rows a page; the last choice is remembered for the session."""
    given = request.GET.get("size", "")
    if given.isdecimal() and int(given[:6]) in SIZES:
        if request.session.get("page_size") != int(given):
            request.session["page_size"] = int(given)
        return int(given)
    return int(request.session.get("page_size", SIZE))


def _linked(pills: list[dict[str, Any]], chosen: CycleFilter, order: Order) -> list[dict[str, Any]]:
    """Add to each pill the query that switches its state on or off."""
    rest = chosen.without("state")
    for pill in pills:
        states = [s for s in chosen.state if s != pill["state"]] + ([] if pill["chosen"] else [pill["state"]])
        pill["query"] = rest.query(state=",".join(states), order=str(order))
    return pills


def _columns(chosen: CycleFilter, order: Order) -> dict[str, dict[str, str]]:
    """Return for each sortable column its aria-sort and the query that sorts by it."""
    columns = {}
    for name in CYCLE_ORDERS:
        flipped = Order(name, descending=not order.descending if name == order.column else True)
        direction = ("descending" if order.descending else "ascending") if name == order.column else ""
        columns[name] = {"sort": direction, "query": chosen.query(order=str(flipped))}
    return columns


@require_safe
@viewers
def cycle_news(request: HttpRequest) -> HttpResponse:
    """Return the open rows of a page as they are now, and how many newer ones there are."""
    visible = cycles_of(request)
    ids = [int(text) for text in request.GET.get("ids", "").split(",")[:MAX_LIVE] if is_id(text)]
    rows = [panels.cycle_row(cycle) for cycle in listed(visible.filter(pk__in=ids))]
    top = request.GET.get("top", "")
    newer = None
    if is_id(top):
        fresh = CycleFilter.parse(request.GET).apply(visible).filter(pk__gt=int(top))
        newer = capped_count(fresh, 99)
    context = {"rows": rows, "newer": newer, "may_operate": may_operate(request)}
    return render(request, "engines/cycle_news.html", context)
