"""Taking the last act back: a button in its message, for as long as the message's session remembers it."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.errors import Conflict, InvalidInput
from engines.models import Engine
from engines.services import bulk, orphan_acts, registry
from engines.views.common import actor, cycles_of, engine_of, modules_of, operators

KEY = "undo"
MOST = 500
"""Cycles that one Undo covers; the session would grow too large for more."""


def offer_cycles(
    request: HttpRequest, text: str, act: str, done: Sequence[tuple[int, str]], back: str
) -> None:
    """Say what was done to cycles (id, state before), with Undo if all of it can be taken back."""
    steps = bulk.way_back(act, done)
    whole = 0 < len(steps) == len(done) <= MOST
    _offer(request, text, {"cycles": steps, "back": back} if whole else None)


def offer_engine(request: HttpRequest, text: str, engine: Engine, before: Mapping[str, Any]) -> None:
    """Say that an engine was changed, with Undo."""
    plain = {name: value.pk if isinstance(value, Group) else value for name, value in before.items()}
    back = reverse("engine-detail", args=[engine.name])
    _offer(request, text, {"engine": engine.name, "before": plain, "back": back} if before else None)


def offer_orphans(
    request: HttpRequest, text: str, act: str, done: Sequence[tuple[int, str]], back: str
) -> None:
    """Say what was done to modules (id, state before), with Undo if all of it can be taken back."""
    way = orphan_acts.way_back(act, done)
    whole = way and 0 < len(done) <= MOST
    record = {"orphans": [pk for pk, _ in done], "act": way, "back": back}
    _offer(request, text, record if whole else None)


def _offer(request: HttpRequest, text: str, record: dict[str, Any] | None) -> None:
    messages.success(request, text, extra_tags=KEY if record else "")
    if record:
        request.session[KEY] = {**record, "key": secrets.token_hex(8)}


@require_POST
@operators
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last act back."""
    record = request.session.pop(KEY, None)
    if not isinstance(record, dict) or record.get("key") != request.POST.get("key"):
        messages.error(request, "There is nothing to take back any more.")
        return redirect("home")
    if "engine" in record:
        _undo_engine(request, record)
    elif "orphans" in record:
        _undo_orphans(request, record)
    else:
        _undo_cycles(request, record)
    return redirect(record["back"])


def _undo_cycles(request: HttpRequest, record: Mapping[str, Any]) -> None:
    steps = {int(pk): acts for pk, acts in record["cycles"]}
    seen = cycles_of(request).filter(pk__in=steps).values_list("pk", flat=True)
    tally = bulk.put_back([(pk, steps[pk]) for pk in seen], actor=actor(request))
    number = len(tally.done)
    if number:
        messages.success(request, f"{number} {'cycle is' if number == 1 else 'cycles are'} as before.")
    if tally.refused:
        messages.warning(request, f"{len(tally.refused)} left alone: {tally.refused[0]}")


def _undo_orphans(request: HttpRequest, record: Mapping[str, Any]) -> None:
    rows = list(modules_of(request).filter(pk__in=record["orphans"]))
    tally = orphan_acts.act_on(record["act"], rows, actor=actor(request), reason="taken back")
    number = len(tally.done)
    if number:
        messages.success(request, f"{number} {'module is' if number == 1 else 'modules are'} taken back.")
    if tally.refused:
        messages.warning(request, f"{len(tally.refused)} left alone: {tally.refused[0]}")


def _undo_engine(request: HttpRequest, record: Mapping[str, Any]) -> None:
    engine = engine_of(request, record["engine"])
    before = dict(record["before"])
    if before.get("team"):
        before["team"] = Group.objects.get(pk=before["team"])
    try:
        registry.update_engine(engine.pk, actor=actor(request), **before)
    except (Conflict, InvalidInput) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{engine.name} is as before.")
