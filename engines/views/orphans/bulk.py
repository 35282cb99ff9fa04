"""Acts on orphan modules: the ticked ones at once, all that match after a preview and batch by batch."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.errors import Conflict
from engines.filters.orphans import OrphanFilter
from engines.models.paging import capped_count
from engines.panels import orphans as panels
from engines.services import orphan_acts as acts
from engines.services import orphan_work
from engines.services.orphan_acts import Tally
from engines.views.common import actor, engine_of, is_id, modules_of, operators
from engines.views.orphans.common import module_of
from engines.views.undo import offer_orphans
from orphans.models import OrphanModuleQuerySet

MOST_TICKED = 200
BATCH = 250
WORDS = {
    "test": "sent to be tested",
    "retire": "retired",
    "restore": "restored",
    "integrate": "taken into the module map",
}
CONSEQUENCE = {
    "test": "Each is run in the sandbox, whatever it was found to be before. Nothing is taken in by that.",
    "retire": "They leave the queue as not wanted. No file is touched; new content brings one back.",
    "restore": "Retired ones are what they were; those in the module map leave it for the queue.",
    "integrate": "They enter the module map; then each is tried in the workflows that it fits.",
}


@require_POST
@operators
def orphan_bulk(request: HttpRequest, act: str) -> HttpResponse:
    """Do one act on the ticked modules, or on all that match: those it doesn't fit are told, not hidden."""
    if "all" in request.POST:
        sure = "top" in request.POST and not OrphanFilter.parse(request.GET).errors
        return _batch(request, act) if sure else _preview(request, act)
    ids = [int(text) for text in request.POST.getlist("id")[:MOST_TICKED] if is_id(text)]
    rows = list(panels.listed(modules_of(request).filter(pk__in=ids)).order_by("pk"))
    tally = acts.act_on(act, rows, actor=actor(request))
    tell(request, act, tally, _list(request))
    return redirect(_list(request))


@require_POST
@operators
def orphan_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act on one module; retiring may say why."""
    module = module_of(request, pk)
    back = reverse("orphan-detail", args=[pk])
    tally = acts.act_on(act, [module], actor=actor(request), reason=request.POST.get("reason", ""))
    tell(request, act, tally, back)
    return redirect(back)


@require_POST
@operators
def orphan_scan(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a scan of an engine's repository."""
    engine = engine_of(request, name)
    try:
        orphan_work.ask("scan", engine, actor=actor(request))
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"A worker scans {engine.name}. What it finds appears below.")
    return redirect(f"{reverse('orphan-list')}?engine={engine.name}")


def tell(request: HttpRequest, act: str, tally: Tally, back: str) -> None:
    """Say what an act did, with Undo where all of it can be taken back, and what was left alone."""
    if tally.done:
        offer_orphans(request, said(len(tally.done), act), act, tally.done, back)
    if tally.refused:
        told = tally.refused[0] + (" …" if tally.refused[1:] else "")
        messages.warning(request, f"{len(tally.refused)} left alone: {told}")
    if not tally.done and not tally.refused:
        messages.warning(request, "Nothing was ticked.")


def said(number: int, act: str) -> str:
    """Return what was done to how many."""
    return f"{number:,} {'module' if number == 1 else 'modules'} {WORDS[act]}."


def _list(request: HttpRequest) -> str:
    return f"{reverse('orphan-list')}?{request.GET.urlencode()}"


def _matching(request: HttpRequest, act: str) -> OrphanModuleQuerySet:
    """Return the modules that the filter in the address lets through and that the act fits."""
    chosen = OrphanFilter.parse(request.GET)
    return chosen.apply(modules_of(request)).filter(state__in=acts.FITS[act])


def _preview(request: HttpRequest, act: str) -> HttpResponse:
    """Say how many modules the act will touch, by state, and wait for a yes."""
    rows = _matching(request, act)
    chosen = OrphanFilter.parse(request.GET)
    # only modules that exist now: what a scan finds meanwhile was not looked at by anybody
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    pills = [pill for pill in panels.state_pills(rows)[1:] if pill["number"]]
    context = {"total": capped_count(rows), "pills": pills, "top": newest, "errors": chosen.errors}
    return render(request, "orphans/bulk.html", {**context, **_frame(request, act)})


def _frame(request: HttpRequest, act: str) -> dict[str, Any]:
    return {
        "act": act,
        "done_word": WORDS[act],
        "consequence": CONSEQUENCE[act],
        "filtered": OrphanFilter.parse(request.GET).active,
        "back": _list(request),
        "address": request.get_full_path(),
    }


def _batch(request: HttpRequest, act: str) -> HttpResponse:
    """Do the next ones; the page asks for those after them, and leaving it stops there."""
    top, after, count, refused = (_number(request, name) for name in ("top", "after", "done", "refused"))
    total = request.POST.get("total", "")[:12].strip()
    if not after:
        acts.begin(act, actor=actor(request), filtered=request.GET.urlencode(), total=total)
    found = _matching(request, act).filter(pk__gt=after, pk__lte=top).order_by("pk")
    rows = list(panels.listed(found)[:BATCH])
    tally = acts.act_on(act, rows, actor=actor(request))
    if len(rows) < BATCH:
        return _finished(request, act, count, refused, tally, whole=not after)
    count, refused = count + len(tally.done), refused + len(tally.refused)
    state = {"top": top, "after": rows[-1].pk, "done": count, "refused": refused, "total": total}
    page = "engines/bulk_progress.html" if getattr(request, "htmx", False) else "orphans/bulk.html"
    of = int(total.replace(",", "")) if total.replace(",", "").isdecimal() else None
    shown = {"state": state, "said": said(count, act), "of": of, "dealt": count + refused}
    return render(request, page, {**shown, **_frame(request, act)})


def _finished(
    request: HttpRequest, act: str, count: int, refused: int, tally: Tally, *, whole: bool
) -> HttpResponse:
    """Say what was done and lead back to the list; one batch can be taken back, more can't."""
    back = _list(request)
    if whole:
        tell(request, act, tally, back)
    else:
        offer_orphans(request, said(count + len(tally.done), act), act, (), back)
        if left := refused + len(tally.refused):
            messages.warning(request, f"{left:,} were left alone.")
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if is_id(text) else 0
