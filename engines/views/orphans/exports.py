"""All matching modules as CSV or JSON, streamed."""

from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from engines.filters.orphans import OrphanFilter
from engines.views.common import modules_of, viewers
from engines.views.exports import CHUNK, Rows, streamed
from orphans.models import OrphanModuleQuerySet

COLUMNS = (
    "id", "subject", "path", "classification", "state", "state_reason", "isolated", "redundant", "parents",
    "chain", "twin", "similarity", "confidence", "reason", "side_effects", "coverage", "score",
    "content_hash", "found_at", "updated_at", "tested_at", "decided_label",
)  # fmt: skip
NAMES = [column.replace("subject", "engine").replace("decided_label", "decided_by") for column in COLUMNS]


@require_safe
@viewers
def orphan_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Stream every module that the filter lets through, newest first."""
    chosen = OrphanFilter.parse(request.GET)
    rows = _by_key(chosen.apply(modules_of(request)))
    return streamed(kind, NAMES, _flat(rows) if kind == "csv" else rows, f"orphans {chosen.query()}")


def _by_key(modules: OrphanModuleQuerySet) -> Rows:
    """Yield rows in blocks read by key, so that no transaction or cursor stays open while a client reads."""
    ordered = modules.order_by("-id").values_list(*COLUMNS)
    block = list(ordered[:CHUNK])
    while block:
        yield from block
        block = list(ordered.filter(id__lt=block[-1][0])[:CHUNK]) if len(block) == CHUNK else []


def _flat(rows: Rows) -> Rows:
    for row in rows:
        yield tuple(_cell(value) for value in row)


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value
