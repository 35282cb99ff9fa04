"""Acts on many cycles: the ticked ones at once, all that match after a preview and batch by batch."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines import panels
from engines.filters import CycleFilter
from engines.models import CycleQuerySet
from engines.models.paging import capped_count
from engines.services import bulk
from engines.views.common import actor, cycles_of, is_id, operators
from engines.views.undo import offer_cycles

MOST_TICKED = 200
BATCH = 100
WORDS = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}
CONSEQUENCE = {
    "cancel": "What waits ends at once, what runs once its step was stopped; what it trained is dropped.",
    "pause": "What waits stays where it is; a running step is stopped and starts anew when it is resumed.",
    "resume": "They are queued again and go on with the step where they stopped.",
}


@require_POST
@operators
def cycle_bulk(request: HttpRequest, act: str) -> HttpResponse:
    """Do one act on the ticked cycles, or on all that match: those it doesn't fit are told, not hidden."""
    if "all" in request.POST:
        sure = "top" in request.POST and not CycleFilter.parse(request.GET).errors
        return _batch(request, act) if sure else _preview(request, act)
    ids = [int(text) for text in request.POST.getlist("id")[:MOST_TICKED] if is_id(text)]
    rows = list(cycles_of(request).filter(pk__in=ids).values_list("pk", "state"))
    tally = bulk.act_on(act, rows, actor=actor(request))
    back = _list(request)
    offer_cycles(request, said(len(tally.done), act), act, tally.done, back)
    if tally.refused:
        told = tally.refused[0] + (" …" if tally.refused[1:] else "")
        messages.warning(request, f"{len(tally.refused)} left alone: {told}")
    return redirect(back)


def said(number: int, act: str) -> str:
    """Return what was done to how many."""
    return f"{number:,} {'cycle' if number == 1 else 'cycles'} {WORDS[act]}."


def _list(request: HttpRequest) -> str:
    return f"{reverse('cycle-list')}?{request.GET.urlencode()}"


def _matching(request: HttpRequest, act: str) -> CycleQuerySet:
    """Return the cycles that the filter in the address lets through and that the act fits."""
    chosen = CycleFilter.parse(request.GET)
    return chosen.apply(cycles_of(request)).filter(state__in=bulk.FITS[act])


def _preview(request: HttpRequest, act: str) -> HttpResponse:
    """Say how many cycles the act will touch, by state, and wait for a yes."""
    rows = _matching(request, act)
    chosen = CycleFilter.parse(request.GET)
    # only cycles that exist now: what is queued meanwhile was not looked at by anybody
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    pills = [pill for pill in panels.state_pills(rows) if pill["number"]]
    context = {"total": capped_count(rows), "pills": pills, "top": newest, "errors": chosen.errors}
    return render(request, "engines/bulk.html", {**context, **_frame(request, act)})


def _frame(request: HttpRequest, act: str) -> dict[str, Any]:
    filtered = CycleFilter.parse(request.GET).active
    return {
        "act": act,
        "consequence": CONSEQUENCE[act],
        "filtered": filtered,
        "back": _list(request),
        "address": request.get_full_path(),
    }


def _batch(request: HttpRequest, act: str) -> HttpResponse:
    """Do the next hundred; the page asks for the ones after, and leaving it stops there."""
    top, after, count, refused = (_number(request, name) for name in ("top", "after", "done", "refused"))
    total = request.POST.get("total", "")[:12].strip()
    if not after:
        bulk.begin(act, actor=actor(request), filtered=request.GET.urlencode(), total=total)
    rows = list(
        _matching(request, act)
        .filter(pk__gt=after, pk__lte=top)
        .order_by("pk")
        .values_list("pk", "state")[:BATCH]
    )
    tally = bulk.act_on(act, rows, actor=actor(request))
    count, refused = count + len(tally.done), refused + len(tally.refused)
    if len(rows) < BATCH:
        return _finished(request, act, count, refused, tally.done if not after else ())
    state = {"top": top, "after": rows[-1][0], "done": count, "refused": refused, "total": total}
    page = "engines/bulk_progress.html" if getattr(request, "htmx", False) else "engines/bulk.html"
    of = int(total.replace(",", "")) if total.replace(",", "").isdecimal() else None
    shown = {"state": state, "said": said(count, act), "of": of, "dealt": count + refused}
    return render(request, page, {**shown, **_frame(request, act)})


def _finished(
    request: HttpRequest, act: str, count: int, refused: int, done: tuple[tuple[int, str], ...]
) -> HttpResponse:
    """Say what was done and lead back to the list; one batch can be taken back, more can't."""
    offer_cycles(request, said(count, act), act, done, _list(request))
    if refused:
        messages.warning(request, f"{refused:,} had moved on meanwhile and were left alone.")
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": _list(request)})
    return redirect(_list(request))


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if is_id(text) else 0
