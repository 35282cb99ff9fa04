"""Taking the last act back: a button in its message, for as long as the message's session remembers it."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import Tally
from engines.models import Engine
from engines.services import bulk, orphan_acts, registry
from engines.views.common import actor, cycles_of, engine_of, modules_of, operators

KEY = "undo"
MOST = 10_000
"""Rows that one Undo covers; the session would grow too large for more."""

BATCH = 200


@dataclass(frozen=True)
class Kind:
    """How acts on one kind of rows are taken back."""

    noun: str
    visible: Callable[[HttpRequest], QuerySet[Any]]
    way_back: Callable[[str, Sequence[tuple[int, str]]], list[tuple[int, tuple[str, ...]]]]
    put_back: Callable[..., Tally]


KINDS = {
    "cycles": Kind("cycle", cycles_of, bulk.way_back, bulk.put_back),
    "orphans": Kind("module", modules_of, orphan_acts.way_back, orphan_acts.put_back),
}


def offer(
    request: HttpRequest, text: str, kind: str, act: str, done: Sequence[tuple[int, str]], back: str
) -> None:
    """Say what was done to rows (id, state before), with Undo if all of it can be taken back."""
    steps = KINDS[kind].way_back(act, done)
    whole = 0 < len(steps) == len(done) <= MOST
    counts = {"done": 0, "refused": 0, "total": len(steps)}
    _offer(request, text, {"kind": kind, "left": _packed(steps), "back": back, **counts} if whole else None)


def _packed(steps: Iterable[tuple[int, Sequence[str]]]) -> list[tuple[list[str], list[int]]]:
    """Return ids by the acts that take theirs back: a session has to hold them."""
    by_acts: dict[tuple[str, ...], list[int]] = {}
    for pk, acts in steps:
        by_acts.setdefault(tuple(acts), []).append(pk)
    return [(list(acts), ids) for acts, ids in by_acts.items()]


def offer_engine(request: HttpRequest, text: str, engine: Engine, before: Mapping[str, Any]) -> None:
    """Say that an engine was changed, with Undo."""
    plain = {name: value.pk if isinstance(value, Group) else value for name, value in before.items()}
    back = reverse("engine-detail", args=[engine.name])
    _offer(request, text, {"engine": engine.name, "before": plain, "back": back} if before else None)


def _offer(request: HttpRequest, text: str, record: dict[str, Any] | None) -> None:
    messages.success(request, text, extra_tags=KEY if record else "")
    if record:
        request.session[KEY] = {**record, "key": secrets.token_hex(8)}


@require_POST
@operators
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last act back; what touched many rows batch by batch, as the act itself went."""
    record = request.session.pop(KEY, None)
    if not isinstance(record, dict) or record.get("key") != request.POST.get("key"):
        messages.error(request, "There is nothing to take back any more.")
        return redirect("home")
    if "engine" in record:
        _undo_engine(request, record)
    elif not _undo_batch(request, record):
        return _more(request, record)
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": record["back"]})
    return redirect(record["back"])


def _undo_batch(request: HttpRequest, record: dict[str, Any]) -> bool:
    """Put the next rows back and tell the end; return whether it was the end."""
    kind = KINDS[record["kind"]]
    steps = [(int(pk), acts) for acts, ids in record["left"] for pk in ids]
    now = dict(steps[:BATCH]) if "stop" not in request.POST else {}
    seen = kind.visible(request).filter(pk__in=now).order_by("pk").values_list("pk", flat=True)
    tally = kind.put_back([(pk, now[pk]) for pk in seen], actor=actor(request))
    record["done"] += len(tally.done)
    record["refused"] += len(tally.refused)
    if now and steps[BATCH:]:
        record["left"] = _packed(steps[BATCH:])
        request.session[KEY] = record
        return False
    if number := record["done"]:
        noun = f"{kind.noun} is" if number == 1 else f"{kind.noun}s are"
        messages.success(request, f"{number:,} {noun} as before.")
    if record["refused"]:
        why = f": {tally.refused[0]}" if tally.refused else "."
        messages.warning(request, f"{record['refused']:,} left alone{why}")
    return True


def _more(request: HttpRequest, record: Mapping[str, Any]) -> HttpResponse:
    """Show how far it is; the page asks for the rest."""
    counts = {name: record[name] for name in ("done", "refused", "total", "key")}
    context = {
        "state": counts,
        "of": record["total"],
        "dealt": record["done"] + record["refused"],
        "said": f"{record['done']:,} of {record['total']:,} as before",
        "act": "undo",
        "noun": KINDS[record["kind"]].noun,
        "address": reverse("undo"),
        "back": record["back"],
    }
    part = getattr(request, "htmx", False)
    return render(request, "parts/bulk_progress.html" if part else "parts/bulk.html", context)


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
