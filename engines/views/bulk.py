"""Acts on many rows of a list: the ticked ones at once, all that match after a preview and batch by batch."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.results import Tally
from engines.models.paging import capped_count
from engines.services import bulk
from engines.views.common import actor, cycles_of, is_id, operators
from engines.views.listing import CYCLES
from engines.views.lists import Listing
from engines.views.undo import offer

MOST_TICKED = 200
BATCH = 200
RUN = "bulk"
"""Where the session keeps what a run of batches did so far, so that all of it can be taken back."""


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Acts on one kind of rows: what is their own. The functions below do the same for all."""

    listing: Listing
    #: the rows that the person sees
    visible: Callable[[HttpRequest], QuerySet[Any]]
    #: act → what was done, in a word; what follows from it, in sentences; the states that it fits
    words: Mapping[str, str]
    consequence: Mapping[str, str]
    fits: Mapping[str, Sequence[str]]
    dangerous: str
    #: rows as `act_on` wants them, lowest id first
    load: Callable[[Any], Any]
    act_on: Callable[..., Tally]
    #: writes down that somebody acts on all that match
    begin: Callable[..., None]

    def said(self, act: str, number: int) -> str:
        """Return what was done to how many."""
        return f"{number:,} {self.listing.noun}{'' if number == 1 else 's'} {self.words[act]}."

    def back(self, request: HttpRequest) -> str:
        """Return the list with the filter that the act was asked under."""
        return f"{reverse(self.listing.url)}?{request.GET.urlencode()}"

    def matching(self, request: HttpRequest, act: str) -> Any:
        """Return the rows that the filter in the address lets through and that the act fits."""
        chosen = self.listing.filter.parse(request.GET)
        return chosen.apply(self.visible(request)).filter(state__in=self.fits[act])


CYCLE_ACTS = Bulk(
    listing=CYCLES,
    visible=cycles_of,
    words={"cancel": "cancelled", "pause": "paused", "resume": "resumed"},
    consequence={
        "cancel": "What waits ends at once, what runs once its step was stopped; what it trained is dropped.",
        "pause": "What waits stays where it is; a running step is stopped and starts anew when resumed.",
        "resume": "They are queued again and go on with the step where they stopped.",
    },
    fits=bulk.FITS,
    dangerous="cancel",
    load=lambda rows: rows.order_by("pk").values_list("pk", "state"),
    act_on=bulk.act_on,
    begin=bulk.begin,
)


@require_POST
@operators
def cycle_bulk(request: HttpRequest, act: str) -> HttpResponse:
    """Do one act on the ticked cycles, or on all that match."""
    return act_on_many(request, CYCLE_ACTS, act)


def act_on_many(request: HttpRequest, many: Bulk, act: str) -> HttpResponse:
    """Do one act on the ticked rows, or on all that match: those it doesn't fit are told, not hidden."""
    if "all" in request.POST:
        sure = "top" in request.POST and not many.listing.filter.parse(request.GET).errors
        return _batch(request, many, act) if sure else _preview(request, many, act)
    ids = [int(text) for text in request.POST.getlist("id")[:MOST_TICKED] if is_id(text)]
    rows = list(many.load(many.visible(request).filter(pk__in=ids)))
    tell(request, many, act, many.act_on(act, rows, actor=actor(request)), many.back(request))
    return redirect(many.back(request))


def tell(request: HttpRequest, many: Bulk, act: str, tally: Tally, back: str) -> None:
    """Say what an act did, with Undo where all of it can be taken back, and what was left alone."""
    if tally.done:
        offer(request, many.said(act, len(tally.done)), many.listing.name, act, tally.done, back)
    if tally.refused:
        told = tally.refused[0] + (" …" if tally.refused[1:] else "")
        messages.warning(request, f"{len(tally.refused)} left alone: {told}")
    if not tally.done and not tally.refused:
        messages.warning(request, "Nothing was ticked.")


def _preview(request: HttpRequest, many: Bulk, act: str) -> HttpResponse:
    """Say how many rows the act will touch, by state, and wait for a yes."""
    rows = many.matching(request, act)
    # only rows that exist now: what comes meanwhile was not looked at by anybody
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    context = {
        "total": capped_count(rows),
        "pills": [pill for pill in many.listing.pills(rows, ()) if pill["state"] and pill["number"]],
        "top": newest,
        "errors": many.listing.filter.parse(request.GET).errors,
    }
    return render(request, "parts/bulk.html", {**context, **_frame(request, many, act)})


def _frame(request: HttpRequest, many: Bulk, act: str) -> dict[str, Any]:
    return {
        "act": act,
        "noun": many.listing.noun,
        "done_word": many.words[act],
        "danger": act == many.dangerous,
        "consequence": many.consequence[act],
        "filtered": many.listing.filter.parse(request.GET).active,
        "back": many.back(request),
        "address": request.get_full_path(),
    }


def _batch(request: HttpRequest, many: Bulk, act: str) -> HttpResponse:
    """Do the next ones; the page asks for those after them, until the last or until somebody says stop."""
    top, after, count, refused = (_number(request, name) for name in ("top", "after", "done", "refused"))
    total = request.POST.get("total", "")[:12].strip()
    run = request.POST.get("run", "")[:16] if after else secrets.token_hex(8)
    if not after:
        many.begin(act, actor=actor(request), filtered=request.GET.urlencode(), total=total)
        request.session[RUN] = {"run": run, "done": []}
    if "stop" in request.POST:
        return _finished(request, many, act, run, Tally(), count, refused)
    rows = list(many.load(many.matching(request, act).filter(pk__gt=after, pk__lte=top))[:BATCH])
    tally = many.act_on(act, rows, actor=actor(request))
    if len(rows) < BATCH:
        return _finished(request, many, act, run, tally, count, refused)
    _keep(request, run, tally)
    count, refused = count + len(tally.done), refused + len(tally.refused)
    last = rows[-1][0] if isinstance(rows[-1], tuple) else rows[-1].pk
    state = {"top": top, "after": last, "done": count, "refused": refused, "total": total, "run": run}
    part = getattr(request, "htmx", False)
    of = int(total.replace(",", "")) if total.replace(",", "").isdecimal() else None
    shown = {"state": state, "said": many.said(act, count), "of": of, "dealt": count + refused}
    page = "parts/bulk_progress.html" if part else "parts/bulk.html"
    return render(request, page, {**shown, **_frame(request, many, act)})


def _keep(request: HttpRequest, run: str, tally: Tally) -> tuple[tuple[int, str], ...]:
    """Remember what a batch of a run did; return all that the run did, nothing if another came between."""
    kept = request.session.get(RUN)
    if not isinstance(kept, dict) or kept.get("run") != run:
        return ()
    done = [*kept["done"], *tally.done]
    request.session[RUN] = {"run": run, "done": done}
    return tuple((pk, state) for pk, state in done)


def _finished(
    request: HttpRequest, many: Bulk, act: str, run: str, tally: Tally, count: int, refused: int
) -> HttpResponse:
    """Say what all batches did, with Undo for the whole, and lead back to the list."""
    back, done = many.back(request), _keep(request, run, tally)
    request.session.pop(RUN, None)
    count += len(tally.done)
    whole = done if len(done) == count else ()
    offer(request, many.said(act, count), many.listing.name, act, whole, back)
    if left := refused + len(tally.refused):
        why = f": {tally.refused[0]}{' …' if left > 1 else ''}" if tally.refused else "."
        messages.warning(request, f"{left:,} left alone{why}")
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if is_id(text) else 0
