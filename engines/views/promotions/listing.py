"""The list of promotions: filters, order, pages by key, export."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from engines.domain.errors import InvalidInput
from engines.domain.keyset import Order, parse_order
from engines.domain.promotion import Kind
from engines.domain.query import SIZES
from engines.filters.promotions import PROMOTION_ORDERS, VERDICTS, PromotionFilter
from engines.models import Promotion, PromotionQuerySet
from engines.models.paging import Page, page
from engines.panels import promotions as panels
from engines.views.common import person, viewers
from engines.views.exports import CHUNK, Rows, streamed
from engines.views.orphans.narrowing import engine_names

SIZE = 50
NEWEST = Order("id", descending=True)
COLUMNS = (
    "id", "engine__name", "subject", "kind", "version_id", "revision_id", "cycle_id", "verdict", "state",
    "message", "evidence_sha256", "requested_label", "created_at", "decided_label", "decided_at", "reason",
    "break_glass", "automatic", "applied_at", "alarm_at", "rolled_back_label", "rolled_back_at",
    "rolled_back_reason",
)  # fmt: skip
NAMES = [
    column.replace("engine__name", "engine").replace("_label", "_by").removesuffix("_id")
    for column in COLUMNS
]


def promotions_of(request: HttpRequest) -> PromotionQuerySet:
    """Return the promotions of the engines that the person sees."""
    return Promotion.objects.visible_to(person(request))


@require_safe
@viewers
def promotion_list(request: HttpRequest) -> HttpResponse:
    """Show the promotions that the filter in the URL lets through, one page of them."""
    chosen = PromotionFilter.parse(request.GET)
    visible = promotions_of(request)
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
    }
    return render(request, "promotions/list.html", context)


def _rows(found: Page[Promotion], order: Order) -> dict[str, Any]:
    told = "newest first" if order == NEWEST else f"by {str(order).replace('_', ' ')}"
    return {
        "page": found,
        "rows": [panels.promotion_row(promotion) for promotion in found.rows],
        "said": f"{len(found.rows)} promotions, {told}",
    }


def _pills(visible: PromotionQuerySet, chosen: PromotionFilter, order: Order) -> dict[str, Any]:
    pills = panels.pills(chosen.apart_from_state(visible), chosen.state)
    rest = chosen.without("state")
    for pill in pills:
        pill["query"] = rest.query(state=pill["state"], order=str(order))
    counted = [pill for pill in pills if pill["chosen"] and pill["count"]] or pills[1:-1]
    total = sum(min(pill["number"], 1_000) for pill in counted)
    more = any(pill["count"].endswith("+") for pill in counted)
    return {"pills": pills, "matching": f"{total:,}{'+' if more else ''}"}


def _choices(request: HttpRequest, chosen: PromotionFilter, order: Order) -> dict[str, Any]:
    return {
        "columns": {name: _column(name, chosen, order) for name in PROMOTION_ORDERS},
        "engines": engine_names(person(request)),
        "kinds": [str(kind) for kind in Kind],
        "verdicts": VERDICTS,
        "sizes": SIZES,
        "query": chosen.query(),
    }


def _column(name: str, chosen: PromotionFilter, order: Order) -> dict[str, str]:
    """Return a sortable column's aria-sort and the query that sorts by it."""
    flipped = Order(name, descending=not order.descending if name == order.column else True)
    direction = ("descending" if order.descending else "ascending") if name == order.column else ""
    return {"sort": direction, "query": chosen.query(order=str(flipped))}


def _order(request: HttpRequest, errors: dict[str, str]) -> tuple[Order, dict[str, str]]:
    try:
        return parse_order(request.GET.get("order") or "-id", PROMOTION_ORDERS), errors
    except InvalidInput as error:
        return NEWEST, {**errors, "order": str(error)}


def _size(request: HttpRequest) -> int:
    given = request.GET.get("size", "")
    return int(given) if given.isdecimal() and int(given[:6]) in SIZES else SIZE


@require_safe
@viewers
def promotion_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Stream every promotion that the filter lets through, newest first."""
    chosen = PromotionFilter.parse(request.GET)
    rows = _by_key(chosen.apply(promotions_of(request)))
    return streamed(kind, NAMES, rows, f"promotions {chosen.query()}")


def _by_key(promotions: PromotionQuerySet) -> Rows:
    """Yield rows in blocks read by key, so that no transaction or cursor stays open while a client reads."""
    ordered = promotions.order_by("-id").values_list(*COLUMNS)
    block = list(ordered[:CHUNK])
    while block:
        yield from block
        block = list(ordered.filter(id__lt=block[-1][0])[:CHUNK]) if len(block) == CHUNK else []
