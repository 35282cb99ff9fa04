"""What all lists are made of: filter, order and page from the address, pills, columns, export, news."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from engines.domain.errors import InvalidInput
from engines.domain.keyset import NEWEST, Order, parse_order
from engines.domain.query import SIZES, usual_key
from engines.filters.reading import ListFilter
from engines.models.paging import Page, capped_count, page
from engines.panels.pills import matching
from engines.views.common import engine_names, is_id, may_operate, person
from engines.views.exports import Rows, by_key, streamed

SIZE = 50
MAX_LIVE = 200
Panel = dict[str, Any]
Panels = Iterable[Panel]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One kind of list: what is its own. `show`, `news` and `export` do the same for all."""

    #: what saved views are kept under, and the end of its API's address
    name: str
    #: what one row is
    noun: str
    #: name of its address
    url: str
    template: str
    filter: type[ListFilter]
    orders: tuple[str, ...]
    #: orders that begin with the lowest, such as names
    upward: tuple[str, ...] = ()
    #: the same rows with the columns of a list alone
    listed: Callable[[Any], Any]
    rows: Callable[[list[Any]], Panels]
    #: the states with the number of rows that the other filters let through
    pills: Callable[[Any, tuple[str, ...]], list[Panel]]
    #: whether a pill adds its state to the chosen ones, or takes their place
    several: bool = False
    #: columns that a person may hide: the ending of their class, their name
    columns: tuple[tuple[str, str], ...] = ()
    #: columns of an export, and how it calls them
    exported: Mapping[str, str]


def usual(request: HttpRequest, listing: Listing) -> HttpResponse | None:
    """Lead to the view that the person wants the list to open with, when nothing else is asked for."""
    wanted = request.session.get(usual_key(listing.name), "")
    return redirect(f"{request.path}?{wanted}") if wanted and not request.GET else None


def show(
    request: HttpRequest,
    listing: Listing,
    visible: QuerySet[Any],
    *,
    chosen: ListFilter | None = None,
    errors: Mapping[str, str] | None = None,
    more: Callable[[ListFilter, Order], Panel] | None = None,
) -> HttpResponse:
    """Show what the filter in the address lets through of the rows that the person sees, one page of them.

    `chosen` and `errors` replace what the address says as it is; `more` gives what this list alone shows.
    """
    chosen = chosen or listing.filter.parse(request.GET)
    order, errors = _order(request, listing, {**chosen.errors, **(errors or {})})
    size = _size(request)
    rest = chosen.apart_from_state(visible)
    try:
        rows = listing.listed(chosen.in_states(rest))
        found = page(rows, order=order, cursor=request.GET.get("cursor", ""), size=size)
    except InvalidInput:
        return redirect(f"{request.path}?{chosen.query(order=str(order))}")
    context = {
        "listing": listing,
        "filter": chosen,
        "here": chosen.query(order=str(order), size=str(size)),
        "errors": errors,
        "order": order,
        "size": size,
        **_rows(listing, found, order),
        **_pills(listing, listing.pills(rest, chosen.state), chosen, order),
        **_choices(request, listing, chosen, order),
        **(more(chosen, order) if more else {}),
    }
    return render(request, listing.template, context)


def _rows(listing: Listing, found: Page[Any], order: Order) -> Panel:
    count = len(found.rows)
    told = "newest first" if order == NEWEST else f"by {str(order).replace('_', ' ')}"
    return {
        "page": found,
        "rows": list(listing.rows(found.rows)),
        "said": f"{count} {listing.noun}{'' if count == 1 else 's'}, {told}",
        "at_start": order == NEWEST and not found.previous,
    }


def _pills(listing: Listing, pills: list[Panel], chosen: ListFilter, order: Order) -> Panel:
    """Add to each pill the query that switches its state on or off."""
    rest = chosen.without("state")
    for pill in pills:
        states = [pill["state"]]
        if listing.several:
            kept = [state for state in chosen.state if state != pill["state"]]
            states = kept if pill["chosen"] else [*kept, pill["state"]]
        pill["query"] = rest.query(state=",".join(states), order=str(order))
    return {"pills": pills, "matching": matching(pills)}


def _choices(request: HttpRequest, listing: Listing, chosen: ListFilter, order: Order) -> Panel:
    address = request.build_absolute_uri(f"/api/{listing.name}/?{chosen.query()}")
    return {
        "columns": {name: _column(name, listing, chosen, order) for name in listing.orders},
        "engines": engine_names(person(request)),
        "sizes": SIZES,
        "may_operate": may_operate(request),
        "query": chosen.query(),
        "curl": f'curl -H "Authorization: Bearer $TOKEN" {shlex.quote(address)}',
    }


def _column(name: str, listing: Listing, chosen: ListFilter, order: Order) -> dict[str, str]:
    """Return a sortable column's aria-sort and the query that sorts by it."""
    here = name == order.column
    flipped = Order(name, descending=not order.descending if here else name not in listing.upward)
    direction = ("descending" if order.descending else "ascending") if here else ""
    return {"sort": direction, "query": chosen.query(order=str(flipped))}


def _order(request: HttpRequest, listing: Listing, errors: dict[str, str]) -> tuple[Order, Mapping[str, str]]:
    try:
        return parse_order(request.GET.get("order") or str(NEWEST), listing.orders), errors
    except InvalidInput as error:
        return NEWEST, {**errors, "order": str(error)}


def _size(request: HttpRequest) -> int:
    """Return the rows a page; the last choice is remembered for the session."""
    given = request.GET.get("size", "")
    if given.isdecimal() and int(given[:6]) in SIZES:
        if request.session.get("page_size") != int(given):
            request.session["page_size"] = int(given)
        return int(given)
    return int(request.session.get("page_size", SIZE))


def news(request: HttpRequest, listing: Listing, visible: QuerySet[Any], template: str) -> HttpResponse:
    """Return the moving rows of a page as they are now, and how many newer ones there are."""
    ids = [int(text) for text in request.GET.get("ids", "").split(",")[:MAX_LIVE] if is_id(text)]
    rows = listing.rows(list(listing.listed(visible.filter(pk__in=ids))))
    top, newer = request.GET.get("top", ""), None
    if is_id(top):
        fresh = listing.filter.parse(request.GET).apply(visible).filter(pk__gt=int(top))
        newer = capped_count(fresh, 99)
    return render(request, template, {"rows": rows, "newer": newer, "may_operate": may_operate(request)})


def export(
    request: HttpRequest,
    listing: Listing,
    visible: QuerySet[Any],
    kind: str,
    cells: Callable[[Rows], Rows] | None = None,
) -> StreamingHttpResponse:
    """Stream every row that the filter lets through, newest first; `cells` makes rows fit for a table."""
    chosen = listing.filter.parse(request.GET)
    rows = by_key(chosen.apply(visible), listing.exported)
    if cells and kind == "csv":
        rows = cells(rows)
    return streamed(kind, list(listing.exported.values()), rows, f"{listing.name} {chosen.query()}")


def plain(
    request: HttpRequest, rows: QuerySet[Any], show_rows: Callable[[list[Any]], Panels]
) -> tuple[Panel, HttpResponse | None]:
    """Return a page of a list without filter or order of its own; or where a wrong cursor leads instead."""
    try:
        found = page(rows, order=NEWEST, cursor=request.GET.get("cursor", ""), size=SIZE)
    except InvalidInput:
        return {}, redirect(request.path)
    context = {
        "page": found,
        "rows": list(show_rows(found.rows)),
        "engines": engine_names(person(request)),
        "may_operate": may_operate(request),
    }
    return context, None
