"""Cycles side by side; which ones, and whether equal rows show, is in the address."""

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engines.models import Cycle, CycleStep
from engines.panels.compare import MOST, compare
from engines.views.common import cycles_of, is_id, viewers
from engines.views.exports import harmless


@require_safe
@viewers
def cycle_compare(request: HttpRequest) -> HttpResponse:
    """Compare two to five cycles; the first is the baseline that changes are told against."""
    ids, errors = _asked(request)
    cycles = _found(request, ids)
    errors += [f"There is no cycle {pk}, or you may not see it." for pk in ids if pk not in cycles]
    chosen = [cycles[pk] for pk in ids if pk in cycles]
    everything = request.GET.get("all") == "1"
    context: dict[str, Any] = {
        "errors": errors,
        "everything": everything,
        "most": MOST,
        "typed": ",".join(str(pk) for pk in ids),
    }
    if len(chosen) > 1:
        found = _compared(chosen, everything=everything)
        for cycle in found["cycles"]:
            others = [each.pk for each in chosen if each.pk != cycle["id"]]
            cycle["first"] = ",".join(str(pk) for pk in [cycle["id"], *others])
            cycle["without"] = ",".join(str(pk) for pk in others)
        context.update(found, shown=",".join(str(each.pk) for each in chosen))
    return render(request, "engines/compare.html", context)


@require_safe
@viewers
def cycle_compare_file(request: HttpRequest) -> HttpResponse:
    """Return the comparison as CSV: one row a fact, one column a cycle."""
    ids, _ = _asked(request)
    cycles = _found(request, ids)
    chosen = [cycles[pk] for pk in ids if pk in cycles]
    found = _compared(chosen, everything=request.GET.get("all") == "1")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = "-".join(str(cycle.pk) for cycle in chosen)
    response["Content-Disposition"] = f'attachment; filename="compare-{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(["group", "fact", *(f"cycle {cycle.pk}" for cycle in chosen)])
    for row in found["rows"]:
        cells = [cell["text"] for cell in row["cells"]]
        writer.writerow([harmless(text) for text in (row["group"], row["label"], *cells)])
    return response


def _asked(request: HttpRequest) -> tuple[list[int], list[str]]:
    """Return the ids of `ids=3,7` or `ids=3&ids=7`, each once and at most five, and what was wrong."""
    words = ",".join(request.GET.getlist("ids")).replace("#", " ").replace(",", " ").split()
    bad = [word for word in words if not is_id(word)]
    ids = list(dict.fromkeys(int(word) for word in words if is_id(word)))
    errors = [f"{bad[0][:40]!r} is no cycle's id."] if bad else []
    if len(ids) > MOST:
        errors.append(f"Up to {MOST} cycles fit side by side; the first {MOST} are shown.")
    return ids[:MOST], errors


def _found(request: HttpRequest, ids: list[int]) -> dict[int, Cycle]:
    return {cycle.pk: cycle for cycle in cycles_of(request).select_related("engine").filter(pk__in=ids)}


def _compared(chosen: list[Cycle], *, everything: bool) -> dict[str, Any]:
    steps = list(CycleStep.objects.filter(cycle__in=chosen).defer("log", "error"))
    return compare(chosen, steps, everything=everything)
