"""Sets of self-tests: the list, and one with its modules as their verdicts come in."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from engines.domain.errors import InvalidInput
from engines.domain.keyset import NEWEST
from engines.models.paging import page
from engines.panels import orphans as panels
from engines.views import lists
from engines.views.common import actor, chosen_engine, may_operate, operators, viewers
from engines.views.orphans.common import batches_of
from orphans.domain.states import RunState
from orphans.models import ModuleRun, SelfTestRun
from orphans.panels import RUN_COLUMNS
from orphans.services.self_tests import cancel_batch

RUNS = 100


@require_safe
@viewers
def self_test_list(request: HttpRequest) -> HttpResponse:
    """Show the sets of self-tests, newest first; asked by htmx, only the part that moves."""
    engine = chosen_engine(request)
    rows = batches_of(request).defer("options")
    rows = rows.filter(subject=engine) if engine else rows
    context, wrong = lists.plain(request, rows, panels.progress)
    context |= {"engine": engine, "now": timezone.now()}
    part = bool(getattr(request, "htmx", False))
    return wrong or render(
        request, "orphans/self_tests_live.html" if part else "orphans/self_tests.html", context
    )


@require_safe
@viewers
def self_test_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one set of self-tests; asked by htmx, only the part that moves."""
    batch = get_object_or_404(batches_of(request), pk=pk)
    try:
        context = _detail(request, batch)
    except InvalidInput:
        return redirect("orphan-self-test", pk)
    part = bool(getattr(request, "htmx", False))
    return render(request, "orphans/self_test_live.html" if part else "orphans/self_test.html", context)


def _detail(request: HttpRequest, batch: SelfTestRun) -> dict[str, Any]:
    """Return the set, and a page of its modules: what runs and what ended last first."""
    state = request.GET.get("state", "")
    chosen = state if state in [str(each) for each in RunState] else ""
    runs = ModuleRun.objects.filter(batch=batch).only(*RUN_COLUMNS)
    found = page(
        runs.filter(state=chosen) if chosen else runs,
        order=NEWEST,
        cursor=request.GET.get("cursor", ""),
        size=RUNS,
    )
    running = [] if chosen or found.previous else list(runs.filter(state=RunState.RUNNING)[:8])
    first = {run.pk for run in running}
    rest = [run for run in found.rows if run.pk not in first]
    return {
        "batch": panels.progress([batch])[0],
        "rows": [panels.run_row(run) for run in (*running, *rest)],
        "page": found,
        "state": chosen,
        "may_operate": may_operate(request),
        "now": timezone.now(),
    }


@require_POST
@operators
def self_test_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a set of self-tests."""
    batch = get_object_or_404(batches_of(request), pk=pk)
    if cancel_batch(batch.pk, by=actor(request).label):
        messages.success(request, "What waits is cancelled; what runs is stopped within seconds.")
    else:
        messages.error(request, "It has ended already.")
    return redirect("orphan-self-test", pk)
