"""The list of cycles: filters, order, pages by key, bulk acts."""

import shlex
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from engines import panels
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.keyset import Order, parse_order
from engines.domain.results import Actor
from engines.filters import CYCLE_ORDERS, RANGES, CycleFilter
from engines.models import Cycle, CycleQuerySet, Engine
from engines.models.paging import Page, capped_count, page
from engines.panels.cycles import listed, triggers
from engines.services import cycles as services
from engines.views.common import actor, cycles_of, may_operate, operators, person, viewers

SIZES = (25, 50, 100, 200)
SIZE = 50
BULK = {"cancel": services.cancel_cycle, "pause": services.pause_cycle, "resume": services.resume_cycle}
BULK_WORDS = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}
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
BULK_CAP = 500
MAX_ENGINES = 200
MAX_LIVE = 200


@require_safe
@viewers
def cycle_list(request: HttpRequest) -> HttpResponse:
    """Show the cycles that the filter in the URL lets through, one page of them."""
    chosen = CycleFilter.parse(request.GET)
    visible = cycles_of(request)
    order, errors = _order(request, dict(chosen.errors))
    size = _size(request)
    try:
        found = page(
            listed(chosen.apply(visible)), order=order, cursor=request.GET.get("cursor", ""), size=size
        )
    except InvalidInput:
        return redirect(f"{request.path}?{chosen.query(order=str(order))}")
    context = {
        "filter": chosen,
        "errors": errors,
        "order": order,
        "size": size,
        **_rows(found, order),
        **_pills(visible, chosen, order),
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


def _pills(visible: CycleQuerySet, chosen: CycleFilter, order: Order) -> dict[str, Any]:
    pills = panels.state_pills(chosen.without("state").apply(visible), chosen.state)
    return {"pills": _linked(pills, chosen, order), "matching": _matching(pills)}


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
        "bulk_cap": BULK_CAP,
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
    ids = [int(text) for text in request.GET.get("ids", "").split(",")[:MAX_LIVE] if _is_id(text)]
    rows = [panels.cycle_row(cycle) for cycle in listed(visible.filter(pk__in=ids))]
    top = request.GET.get("top", "")
    newer = None
    if _is_id(top):
        fresh = CycleFilter.parse(request.GET).apply(visible).filter(pk__gt=int(top))
        newer = capped_count(fresh, 99)
    context = {"rows": rows, "newer": newer, "may_operate": may_operate(request)}
    return render(request, "engines/cycle_news.html", context)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


@require_POST
@operators
def cycle_bulk(request: HttpRequest, act: str) -> HttpResponse:
    """Do one act on the ticked cycles, or on all that match; those it doesn't fit are told, not hidden."""
    chosen = CycleFilter.parse(request.GET)
    ids = [int(text) for text in request.POST.getlist("id")[:MAX_LIVE] if _is_id(text)]
    visible = cycles_of(request)
    cycles = chosen.apply(visible).unfinished() if "all" in request.POST else visible.filter(pk__in=ids)
    done, refused = _each(list(cycles.values_list("pk", flat=True)[:BULK_CAP]), BULK[act], actor(request))
    messages.success(request, f"{done} {'cycle' if done == 1 else 'cycles'} {BULK_WORDS[act]}.")
    if refused:
        messages.warning(request, f"{len(refused)} left alone: {refused[0]}" + (" …" if refused[1:] else ""))
    return redirect(f"{reverse('cycle-list')}?{request.GET.urlencode()}")


def _each(ids: list[int], act: Callable[..., Cycle], who: Actor) -> tuple[int, list[str]]:
    refused = []
    for pk in ids:
        try:
            act(pk, actor=who)
        except Conflict as error:
            refused.append(str(error))
    return len(ids) - len(refused), refused
