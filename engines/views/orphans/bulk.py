"""Acts on orphan modules: ticked ones and all that match, one by its page, and asking for a scan."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.errors import Conflict
from engines.services import orphan_acts as acts
from engines.services import orphan_work
from engines.views.bulk import Bulk, act_on_many, tell
from engines.views.common import actor, engine_of, modules_of, operators
from engines.views.orphans.common import module_of
from engines.views.orphans.queue import MODULES

MODULE_ACTS = Bulk(
    listing=MODULES,
    visible=modules_of,
    words={
        "test": "sent to be tested",
        "retire": "retired",
        "restore": "restored",
        "integrate": "taken into the module map",
    },
    consequence={
        "test": "Each is run in the sandbox, whatever it was found to be. Nothing is taken in by that.",
        "retire": "They leave the queue as not wanted. No file is touched; new content brings one back.",
        "restore": "Retired ones are what they were; those in the module map leave it for the queue.",
        "integrate": "They enter the module map; then each is tried in the workflows that it fits.",
    },
    fits=acts.FITS,
    dangerous="retire",
    load=lambda rows: MODULES.listed(rows).order_by("pk"),
    act_on=acts.act_on,
    begin=acts.begin,
)


@require_POST
@operators
def orphan_bulk(request: HttpRequest, act: str) -> HttpResponse:
    """Do one act on the ticked modules, or on all that match."""
    return act_on_many(request, MODULE_ACTS, act)


@require_POST
@operators
def orphan_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act on one module; retiring may say why."""
    module = module_of(request, pk)
    back = reverse("orphan-detail", args=[pk])
    tally = acts.act_on(act, [module], actor=actor(request), reason=request.POST.get("reason", ""))
    tell(request, MODULE_ACTS, act, tally, back)
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
