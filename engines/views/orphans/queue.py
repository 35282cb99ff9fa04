"""The queue of orphan modules: filters, order, pages by key, and what is under way."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from engines.domain.errors import InvalidInput
from engines.domain.keyset import Order, parse_order
from engines.domain.query import SIZES
from engines.domain.unseen import visible_data
from engines.filters.orphans import ORPHAN_ORDERS, OrphanFilter
from engines.models import Engine
from engines.models.paging import Page, capped_count, page
from engines.panels import orphans as panels
from engines.services import orphan_work
from engines.views.common import is_id, may_operate, modules_of, person, viewers
from engines.views.orphans.common import batches_of
from orphans.domain.findings import Classification
from orphans.domain.states import ACTIVE_BATCH
from orphans.models import OrphanModule, OrphanModuleQuerySet

SIZE = 50
MAX_ENGINES = 200
MAX_LIVE = 200
MAX_BATCHES = 3
MAX_NOTED = 20
NEWEST = Order("id", descending=True)


@require_safe
@viewers
def orphan_list(request: HttpRequest) -> HttpResponse:
    """Show the modules that the filter in the URL lets through, one page of them."""
    chosen = OrphanFilter.parse(request.GET)
    visible = modules_of(request)
    order, errors = _order(request, dict(chosen.errors))
    size = _size(request)
    try:
        rows = panels.listed(chosen.apply(visible))
        found = page(rows, order=order, cursor=request.GET.get("cursor", ""), size=size)
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
        **under_way(request, chosen.engine),
    }
    return render(request, "orphans/queue.html", context)


def _rows(found: Page[OrphanModule], order: Order) -> dict[str, Any]:
    return {
        "page": found,
        "rows": [panels.module_row(module) for module in found.rows],
        "said": f"{len(found.rows)} modules, {'newest first' if order == NEWEST else f'by {order}'}",
        "at_start": order == NEWEST and not found.previous,
    }


def _pills(visible: OrphanModuleQuerySet, chosen: OrphanFilter, order: Order) -> dict[str, Any]:
    pills = panels.pills(chosen.apart_from_state(visible), chosen.state)
    rest = chosen.without("state")
    for pill in pills:
        pill["query"] = rest.query(state=pill["state"], order=str(order))
    counted = [pill for pill in pills if pill["chosen"] and pill["count"]] or pills[1:-1]
    total = sum(min(pill["number"], 1_000) for pill in counted)
    more = any(pill["count"].endswith("+") for pill in counted)
    return {"pills": pills, "matching": f"{total:,}{'+' if more else ''}"}


def _choices(request: HttpRequest, chosen: OrphanFilter, order: Order) -> dict[str, Any]:
    engines = Engine.objects.visible_to(person(request)).values_list("name", flat=True)
    return {
        "columns": _columns(chosen, order),
        "engines": list(engines.order_by("name")[:MAX_ENGINES]),
        "classes": [(str(each), str(each).replace("_", " ")) for each in Classification],
        "confidences": ("0.5", "0.7", "0.9"),
        "sizes": SIZES,
        "may_operate": may_operate(request),
        "query": chosen.query(),
    }


def _order(request: HttpRequest, errors: dict[str, str]) -> tuple[Order, dict[str, str]]:
    try:
        return parse_order(request.GET.get("order") or "-id", ORPHAN_ORDERS), errors
    except InvalidInput as error:
        return NEWEST, {**errors, "order": str(error)}


def _size(request: HttpRequest) -> int:
    given = request.GET.get("size", "")
    return int(given) if given.isdecimal() and int(given[:6]) in SIZES else SIZE


def _columns(chosen: OrphanFilter, order: Order) -> dict[str, dict[str, str]]:
    """Return for each sortable column its aria-sort and the query that sorts by it."""
    columns = {}
    for name in ORPHAN_ORDERS:
        flipped = Order(name, descending=not order.descending if name == order.column else name != "path")
        direction = ("descending" if order.descending else "ascending") if name == order.column else ""
        columns[name] = {"sort": direction, "query": chosen.query(order=str(flipped))}
    return columns


@require_safe
@viewers
def orphan_news(request: HttpRequest) -> HttpResponse:
    """Return the moving rows of a page as they are now, and how many newer ones there are."""
    visible = modules_of(request)
    ids = [int(text) for text in request.GET.get("ids", "").split(",")[:MAX_LIVE] if is_id(text)]
    rows = [panels.module_row(module) for module in panels.listed(visible.filter(pk__in=ids))]
    top, newer = request.GET.get("top", ""), None
    if is_id(top):
        fresh = OrphanFilter.parse(request.GET).apply(visible).filter(pk__gt=int(top))
        newer = capped_count(fresh, 99)
    return render(request, "orphans/queue_news.html", {"rows": rows, "newer": newer})


@require_safe
@viewers
def orphan_work_live(request: HttpRequest) -> HttpResponse:
    """Return what is under way on the engines that the filter names; it asks for itself again."""
    chosen = OrphanFilter.parse(request.GET)
    context = {**under_way(request, chosen.engine), "query": chosen.query()}
    return render(request, "orphans/work.html", context)


def under_way(request: HttpRequest, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the self-tests that run, and the work that was asked for or came to nothing."""
    visible = Engine.objects.visible_to(person(request))
    engines = (visible.filter(name__in=names) if names else visible).order_by("name")[:MAX_NOTED]
    open_batches = batches_of(request).filter(state__in=ACTIVE_BATCH)
    chosen = open_batches.filter(subject__in=names) if names else open_batches
    batches = panels.progress(list(chosen.order_by("-id")[:MAX_BATCHES]))
    notes = [visible_data(note) for note in orphan_work.under_way(engines)]
    return {"batches": batches, "notes": notes, "busy": bool(batches or notes)}
