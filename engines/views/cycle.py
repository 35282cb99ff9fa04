"""The page of one cycle: what happens, why, what came of it, and what can be done."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from engines import charts, panels
from engines.domain.errors import Conflict
from engines.domain.states import Control, CycleState
from engines.forms import RetryForm
from engines.models import Cycle
from engines.panels.cycles import neighbours
from engines.panels.eta import eta
from engines.panels.promotions import of_cycle
from engines.services import cycles as services
from engines.views.common import actor, attempt, cycle_of, cycles_of, may_operate, operators, viewers
from engines.views.undo import offer

ACTS = {
    "cancel": (services.cancel_cycle, "Cancelled."),
    "pause": (services.pause_cycle, "Paused."),
    "resume": (services.resume_cycle, "Queued again."),
}


@require_safe
@viewers
def cycle_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one cycle."""
    cycle = cycle_of(request, pk)
    beside = neighbours(cycle, cycles_of(request))
    return render(request, "engines/cycle.html", {**_live(request, cycle), **beside})


@require_safe
@viewers
def cycle_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the part of the page that moves; it asks for itself again until the cycle ends."""
    return render(request, "engines/cycle_live.html", _live(request, cycle_of(request, pk)))


def _live(request: HttpRequest, cycle: Cycle) -> dict[str, Any]:
    rows = list(cycle.steps.all())
    found = panels.outcome(cycle, {row.name: row.result for row in rows})
    now = timezone.now()
    return {
        "cycle": panels.cycle_head(cycle),
        "steps": [panels.step_row(row) for row in rows],
        "decision": panels.decision(cycle),
        "outcome": found,
        "promotions": of_cycle(cycle.pk),
        "forecast": panels.forecast_after(cycle),
        "folds": charts.fold_figure(found["folds"]) if found else None,
        "acts": allowed_acts(cycle, may=may_operate(request)),
        "eta": eta(cycle, rows, now),
        "now": now,
    }


def allowed_acts(cycle: Cycle, *, may: bool) -> dict[str, str]:
    """Return for each act why it can't be done now; an empty text means it can."""
    if not may:
        return dict.fromkeys((*ACTS, "retry"), "You may look, but not act: ask for the role of an operator.")
    asked = f"A {cycle.control} was asked for already." if cycle.control else ""
    word = f"The cycle is {cycle.state}."
    return {
        "cancel": word if cycle.is_terminal else (asked if cycle.control == Control.CANCEL else ""),
        "pause": asked if cycle.state in (CycleState.QUEUED, CycleState.RUNNING) else word,
        "resume": "" if cycle.state == CycleState.PAUSED else "Only a paused cycle can be resumed.",
        "retry": "" if cycle.is_terminal else "Only an ended cycle can be retried.",
    }


@require_POST
@operators
def cycle_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Cancel, pause or resume."""
    cycle = cycle_of(request, pk)
    service, done = ACTS[act]
    try:
        service(cycle.pk, actor=actor(request))
    except Conflict as error:
        messages.error(request, str(error))
    else:
        back = reverse("cycle-detail", args=[pk])
        if cycle.state == CycleState.RUNNING:
            done = f"{act.capitalize()} asked for; the running step is being stopped."
        offer(request, f"Cycle {pk}: {done}", "cycles", act, [(pk, cycle.state)], back)
    return redirect("cycle-detail", pk)


@require_POST
@operators
def cycle_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue an ended cycle again from a step."""
    cycle = cycle_of(request, pk)
    form = RetryForm(request.POST)
    step = form.cleaned_data["from_step"] if form.is_valid() else request.POST.get("from_step", "")[:40]
    who = actor(request)
    attempt(
        request,
        lambda: services.retry_cycle(cycle.pk, from_step=step, actor=who),
        f"Cycle {pk} runs again from {step}.",
    )
    return redirect("cycle-detail", pk)


@require_safe
@viewers
def step_log(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Return the kept output of a step as a file of plain text."""
    row = cycle_of(request, pk).steps.filter(name=step).first()
    if row is None:
        raise Http404("no such step")
    response = HttpResponse(row.log, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="cycle-{pk}-{row.name}.log"'
    return response
