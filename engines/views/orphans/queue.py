"""The queue of orphan modules, and what is under way."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engines.domain.unseen import visible_data
from engines.filters.orphans import ORPHAN_ORDERS, OrphanFilter
from engines.models import Engine
from engines.panels import orphans as panels
from engines.services import orphan_work
from engines.views import lists
from engines.views.common import modules_of, person, viewers
from engines.views.exports import Rows
from engines.views.orphans.common import batches_of
from orphans.domain.findings import Classification
from orphans.domain.states import ACTIVE_BATCH

MAX_BATCHES = 3
MAX_NOTED = 20
EXPORTED = (
    "id", "subject", "path", "classification", "state", "state_reason", "isolated", "redundant", "parents",
    "chain", "twin", "similarity", "confidence", "reason", "side_effects", "coverage", "score",
    "content_hash", "found_at", "updated_at", "tested_at", "decided_label",
)  # fmt: skip
COLUMN_NAMES = (
    ("class", "Class"),
    ("engine", "Engine"),
    ("confidence", "Confidence"),
    ("parents", "Imported by"),
    ("effects", "Side effects"),
    ("twin", "Twin"),
    ("changed", "Changed"),
)
CHOICES = {
    "classes": [(str(each), str(each).replace("_", " ")) for each in Classification],
    "confidences": ("0.5", "0.7", "0.9"),
}
MODULES = lists.Listing(
    name="orphans",
    noun="module",
    url="orphan-list",
    template="orphans/queue.html",
    filter=OrphanFilter,
    orders=ORPHAN_ORDERS,
    upward=("path",),
    listed=panels.listed,
    rows=lambda rows: map(panels.module_row, rows),
    pills=panels.state_pills,
    columns=COLUMN_NAMES,
    exported={
        **{column: column for column in EXPORTED},
        "subject": "engine",
        "decided_label": "decided_by",
    },
)


@require_safe
@viewers
def orphan_list(request: HttpRequest) -> HttpResponse:
    """Show the modules that the filter in the URL lets through, one page of them."""
    return lists.usual(request, MODULES) or lists.show(
        request,
        MODULES,
        modules_of(request),
        more=lambda chosen, _: {**CHOICES, **under_way(request, chosen.engine)},
    )


@require_safe
@viewers
def orphan_news(request: HttpRequest) -> HttpResponse:
    """Return the moving rows of a page as they are now, and how many newer ones there are."""
    return lists.news(request, MODULES, modules_of(request), "orphans/queue_news.html")


@require_safe
@viewers
def orphan_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Stream every module that the filter lets through, newest first."""
    return lists.export(request, MODULES, modules_of(request), kind, _flat)


def _flat(rows: Rows) -> Rows:
    for row in rows:
        yield tuple(_cell(value) for value in row)


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


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
