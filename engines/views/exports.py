"""Rows as files of CSV or JSON, streamed: memory stays flat however many there are."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from engines.views.common import engine_of, metric_of, viewers
from forecasting.models import MetricPoint

POINT_COLUMNS = ("at", "name", "value", "source")
CHUNK = 1_000
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")

Rows = Iterator[tuple[Any, ...]]


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text


@require_safe
@viewers
def metric_export(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """Stream the points of an engine's metric."""
    engine = engine_of(request, name)
    points = MetricPoint.objects.filter(subject=engine.name)
    metric = metric_of(request)
    if metric:
        points = points.filter(name=metric)
    rows = points_by_name(points)
    return streamed("csv", list(POINT_COLUMNS), rows, f"{engine.name} {metric or 'metrics'}")


def points_by_name(points: QuerySet[MetricPoint]) -> Rows:
    """Yield the points of one subject by name and time; the next name is one probe of the index."""
    name = ""
    while found := points.filter(name__gt=name).order_by("name").values_list("name", flat=True).first():
        name = found
        yield from _points_by_time(points.filter(name=name))


def _points_by_time(points: QuerySet[MetricPoint]) -> Rows:
    """Yield the points of one metric in blocks, each read off the index of histories."""
    ordered = points.order_by("at", "id").values_list(*POINT_COLUMNS, "id")
    block = list(ordered[:CHUNK])
    while block:
        yield from (row[:-1] for row in block)
        at, *_, pk = block[-1]
        later = TupleGreaterThan(Tuple(F("at"), F("id")), (at, pk))
        block = list(ordered.filter(later)[:CHUNK]) if len(block) == CHUNK else []


def by_key(rows: QuerySet[Any], columns: Iterable[str]) -> Rows:
    """Yield columns of rows, `id` first, newest first: in blocks read by key.

    No transaction or cursor stays open while a client reads.
    """
    ordered = rows.order_by("-id").values_list(*columns)
    block = list(ordered[:CHUNK])
    while block:
        yield from block
        block = list(ordered.filter(id__lt=block[-1][0])[:CHUNK]) if len(block) == CHUNK else []


def streamed(kind: str, names: list[str], rows: Rows, title: str) -> StreamingHttpResponse:
    """Return rows as a file of CSV or JSON that is written while it is read."""
    write: Callable[[list[str], Rows], Iterator[str]] = _csv if kind == "csv" else _json
    response = StreamingHttpResponse(write(names, rows), content_type=MEDIA[kind])
    file_name = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:120]
    response["Content-Disposition"] = f'attachment; filename="{file_name}.{kind}"'
    return response


def _csv(names: list[str], rows: Rows) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(names)
    for row in rows:
        yield writer.writerow([harmless(value) for value in row])


def _json(names: list[str], rows: Rows) -> Iterator[str]:
    lead = "[\n"
    for row in rows:
        yield lead + json.dumps(dict(zip(names, map(_plain, row), strict=True)), allow_nan=False)
        lead = ",\n"
    yield "\n]\n" if lead == ",\n" else "[]\n"


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    text = _plain(value)
    if isinstance(text, str) and text.startswith(RISKY):
        return f"'{text}"
    return text


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
