"""Runs through the hard stages that a person asks for: the button, how far they are, and their end."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from engines.domain.errors import MenaceError
from engines.domain.unseen import visible
from engines.models import Engine
from engines.services import stage_orders
from engines.views.common import actor, engine_of, is_id, may_operate, operators, viewers

MAX_WORKFLOW = 64


@require_http_methods(["GET", "HEAD", "POST"])
@viewers
def engine_stages(request: HttpRequest, name: str) -> HttpResponse:
    """Show how far the runs are; a POST has them begin, once however often it is sent."""
    engine = engine_of(request, name)
    return _run(request, engine) if request.method == "POST" else _part(request, engine, request.GET)


@operators
def _run(request: HttpRequest, engine: Engine) -> HttpResponse:
    given = wanted(request.POST)
    return _done(request, engine, lambda: stage_orders.ask(engine, actor=actor(request), **given))


@require_POST
@operators
def engine_stages_cancel(request: HttpRequest, name: str) -> HttpResponse:
    """Stop the runs within seconds."""
    engine = engine_of(request, name)
    return _done(request, engine, lambda: stage_orders.cancel(engine, actor=actor(request)))


def wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workflow and the revision that an address or a form names."""
    revision = str(given.get("revision", ""))
    return {
        "workflow": str(given.get("workflow", ""))[:MAX_WORKFLOW],
        "revision": int(revision) if is_id(revision) else None,
    }


def _done(request: HttpRequest, engine: Engine, act: Callable[[], Any]) -> HttpResponse:
    """Do it, and return the part of the page; without scripts, go back to the page that the form was on."""
    refused = ""
    try:
        act()
    except MenaceError as error:
        refused = visible(str(error))
    if getattr(request, "htmx", False):
        return _part(request, engine, request.POST, refused=refused)
    if refused:
        messages.error(request, refused)
    promotion = request.POST.get("promotion", "")
    return (
        redirect("promotion-detail", promotion)
        if is_id(promotion)
        else redirect("engine-detail", engine.name)
    )


def _part(
    request: HttpRequest, engine: Engine, given: Mapping[str, Any], *, refused: str = ""
) -> HttpResponse:
    note = stage_orders.noted(engine.pk)
    context = {
        "engine": engine.name,
        "note": note,
        "busy": note is not None and note["state"] not in stage_orders.ENDED,
        "refused": refused,
        "may_operate": may_operate(request),
        "promotion": str(given.get("promotion", ""))[:18],
        **wanted(given),
    }
    return render(request, "engines/stages.html", context)
