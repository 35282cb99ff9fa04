"""The logs of a cycle: searched, marked, downloaded."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engines.domain.wording import word
from engines.panels.logs import step_logs
from engines.views.common import cycle_of, viewers

MAX_TEXT = 100


@require_safe
@viewers
def cycle_logs(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the logs of all steps; `q` marks a text, `only=1` leaves the lines that hold it."""
    cycle = cycle_of(request, pk)
    text = request.GET.get("q", "")[:MAX_TEXT]
    only = request.GET.get("only") == "1"
    found = step_logs(cycle.steps.only("cycle_id", "name", "state", "log"), text, only=only)
    return render(request, "engines/cycle_logs.html", {"cycle": cycle, "text": text, "only": only, **found})


@require_safe
@viewers
def cycle_logs_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the kept output of all steps as one file of plain text."""
    steps = cycle_of(request, pk).steps.only("cycle_id", "name", "state", "log")
    parts = [f"===== {step.name} ({word(step.state)})\n{step.log.rstrip()}\n" for step in steps if step.log]
    response = HttpResponse("\n".join(parts), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="cycle-{pk}.log"'
    return response
