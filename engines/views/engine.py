"""The page of one engine, its forms and its charts."""

import json
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engines import charts, panels
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.states import Trigger
from engines.forms import EditForm, RegisterForm, TriggerForm
from engines.models import Engine
from engines.services import cycles as services
from engines.services import registry
from engines.views.common import actor, engine_of, may_operate, metric_of, operators, person, viewers
from engines.views.undo import offer_engine
from forecasting.panels import PERIODS, metric_names

LATEST = 10
CHART_SECONDS = 10
TABLE_ROWS = 100


@require_safe
@viewers
def engine_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one engine."""
    engine = engine_of(request, name)
    form = TriggerForm(initial={"energy": engine.base_energy})
    return render(request, "engines/engine.html", _detail(request, engine, form))


def _detail(request: HttpRequest, engine: Engine, form: TriggerForm) -> dict[str, Any]:
    names = metric_names(engine.name)
    metric = request.GET.get("metric", "")
    card, latest = panels.card_and_cycles(engine, LATEST)
    return {
        "engine": card,
        "spark": charts.sparkline(card["deltas"]),
        "interval": charts.foreseen_interval(card["foreseen"]),
        "facts": panels.engine_facts(engine),
        "manifest": json.dumps(engine.manifest, indent=2, sort_keys=True),
        "versions": panels.versions(engine),
        "rows": [panels.cycle_row(cycle) for cycle in latest],
        "metrics": names,
        "metric": metric if metric in names else next(iter(names), ""),
        "range": _period(request),
        "ranges": list(PERIODS),
        "form": form,
        "may_operate": may_operate(request),
    }


def _period(request: HttpRequest) -> str:
    given = request.GET.get("range", "")
    return given if given in PERIODS else ""


@require_POST
@operators
def engine_trigger(request: HttpRequest, name: str) -> HttpResponse:
    """Queue a cycle with the energy of the form."""
    engine = engine_of(request, name)
    form = TriggerForm(request.POST)
    try:
        if form.is_valid():
            return _queued(request, engine, form.cleaned_data["energy"])
    except (Conflict, InvalidInput) as error:
        form.add_error("energy" if isinstance(error, InvalidInput) else None, str(error))
    return render(request, "engines/engine.html", _detail(request, engine, form), status=422)


def _queued(request: HttpRequest, engine: Engine, energy: float) -> HttpResponse:
    cycle = services.enqueue_cycle(engine, trigger=Trigger.MANUAL, energy=energy, actor=actor(request))
    if getattr(cycle, "wake", "sent") == "away":
        messages.warning(
            request, f"Cycle {cycle.pk} is queued; the broker is away, so it starts when that is back."
        )
    else:
        messages.success(request, f"Cycle {cycle.pk} is queued.")
    return redirect("cycle-detail", cycle.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def engine_new(request: HttpRequest) -> HttpResponse:
    """Take a repository under care."""
    form = RegisterForm(request.POST or None, user=person(request))
    if request.method == "POST" and form.is_valid():
        try:
            engine = registry.register_engine(actor=actor(request), **form.arguments())
        except InvalidInput as error:
            form.refuse(error)
        else:
            messages.success(request, f"{engine.name} is under care. Trigger its first cycle.")
            return redirect("engine-detail", engine.name)
    return render(request, "engines/engine_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def engine_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change what may change of an engine."""
    engine = engine_of(request, name)
    form = (
        EditForm(request.POST, user=person(request))
        if request.method == "POST"
        else EditForm.of(engine, person(request))
    )
    if form.is_bound and form.is_valid():
        try:
            changes = form.changes(engine)
            before = {name_: getattr(engine, name_) for name_ in changes}
            registry.update_engine(engine.pk, actor=actor(request), **changes)
        except InvalidInput as error:
            form.refuse(error)
        else:
            offer_engine(request, f"{name} was changed.", engine, before)
            return redirect("engine-detail", name)
    context = {"form": form, "engine": engine}
    return render(request, "engines/engine_form.html", context, status=422 if form.errors else 200)


@require_safe
@viewers
def engine_chart(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """Return a figure's data; ten seconds old at most."""
    engine = engine_of(request, name)
    metric, period = metric_of(request), _period(request)
    key = f"chart:{engine.pk}:{kind}:{hash_of(metric)}:{period}"
    figure = cache.get(key)
    if figure is None:
        figure = _figure(engine, kind, metric, period)
        cache.set(key, figure, CHART_SECONDS)
    response = JsonResponse(figure)
    response["Cache-Control"] = f"private, max-age={CHART_SECONDS}"
    return response


def hash_of(text: str) -> str:
    """Return a text as characters that every cache takes for a key."""
    return text.encode().hex()


def _figure(engine: Engine, kind: str, metric: str, period: str) -> dict[str, Any]:
    if kind == "roi":
        return charts.roi_chart(panels.roi_history(engine, period=period))
    return charts.metric_chart(panels.metric_history(engine, metric, period=period))


@require_safe
@viewers
def engine_table(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """Return a figure's latest data as a table."""
    engine = engine_of(request, name)
    metric, period = metric_of(request), _period(request)
    panel = (
        panels.roi_history(engine, period=period)
        if kind == "roi"
        else panels.metric_history(engine, metric, period=period)
    )
    points = panel["points"][::-1]
    context = {"kind": kind, "points": points[:TABLE_ROWS], "more": len(points) > TABLE_ROWS or panel["cut"]}
    return render(request, "engines/history_table.html", context)
