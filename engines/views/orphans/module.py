"""The page of one orphan module: why it is one, what is tied to it, what its tests did, its source."""

import hashlib
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from engines import git
from engines.domain.errors import MenaceError
from engines.domain.highlighting import highlighted
from engines.domain.side_by_side import compared
from engines.domain.unseen import visible, visible_data
from engines.models import Engine
from engines.panels import orphans as panels
from engines.panels.workflows import revisions_of_module
from engines.services import orphan_acts
from engines.views.common import may_operate, viewers
from engines.views.orphans.common import NOT_ALLOWED, engine_named, module_of, runs_of
from forecasting.panels.progress import module_progress
from orphans.charts import neighbourhood_figure
from orphans.domain.candidates import may_be_mapped
from orphans.domain.findings import Classification
from orphans.models import OrphanModule
from orphans.panels import neighbourhood

SOURCE_BYTES = 512 * 1024


@require_safe
@viewers
def orphan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one module."""
    module = module_of(request, pk)
    engine = engine_named(request, module.subject)
    near = visible_data(neighbourhood(module))
    return render(
        request,
        "orphans/module.html",
        {
            **_live(request, module),
            "near": near,
            "figure": neighbourhood_figure(near),
            "progress": visible_data(module_progress(module.subject, module.path)),
            "may_operate": may_operate(request),
            "revisions": visible_data(revisions_of_module(engine.pk, module.path)),
        },
    )


@require_safe
@viewers
def orphan_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the part of the page that moves; it asks for itself again while a self-test is under way."""
    return render(request, "orphans/module_live.html", _live(request, module_of(request, pk)))


def _live(request: HttpRequest, module: OrphanModule) -> dict[str, Any]:
    runs = panels.runs_of(module)
    return {
        "module": panels.module_head(module),
        "runs": [panels.run_row(run) for run in runs],
        "latest": panels.run_head(runs[0]) if runs else None,
        "acts": allowed_acts(module, may=may_operate(request)),
        "now": timezone.now(),
    }


def allowed_acts(module: OrphanModule, *, may: bool) -> dict[str, str]:
    """Return for each act why it can't be done now; an empty text means it can."""
    if not may:
        return dict.fromkeys(orphan_acts.FITS, NOT_ALLOWED)
    reasons = {
        "test": f"The module is {module.state}.",
        "retire": f"The module is {module.state}.",
        "restore": "There is nothing to take back.",
        "integrate": "Only a module whose self-test passed can be taken in.",
    }
    fits = orphan_acts.FITS.items()
    told = {act: "" if module.state in states else reasons[act] for act, states in fits}
    classification = Classification(module.classification)
    if not told["integrate"] and not may_be_mapped(classification, redundant=module.redundant):
        told["integrate"] = "What is redundant or legacy is tested, but never in the module map."
    return told


@require_safe
@viewers
def orphan_source(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the module's source as it was scanned; asked by htmx, only the part with the source."""
    module = module_of(request, pk)
    context = {"module": panels.module_row(module), **_source(engine_named(request, module.subject), module)}
    part = bool(getattr(request, "htmx", False))
    return render(request, "orphans/source.html" if part else "orphans/module_source.html", context)


def _source(engine: Engine, module: OrphanModule) -> dict[str, Any]:
    """Return the lines of the scanned commit, or why they can't be shown."""
    commit, text, problem = _read(engine, module, module.path)
    if text is None:
        return {"problem": problem, "commit": commit}
    found = highlighted(text)
    same = hashlib.sha256(text.encode()).hexdigest() == module.content_hash
    marked = {each.get("line") for each in module.evidence if each.get("path") in (None, module.path)}
    return {"lines": found.lines, "cut": found.cut, "commit": commit, "same": same, "marked": marked}


def _read(engine: Engine, module: OrphanModule, path: str) -> tuple[str, str | None, str]:
    """Return the scanned commit, a file's text in it, and why there is none; git is asked, nothing is run."""
    commit = module.scan.commit if module.scan else ""
    try:
        commit = commit or git.head(Path(engine.repository))
        text = git.read(Path(engine.repository), commit, path, SOURCE_BYTES)
    except (MenaceError, OSError) as error:
        return commit, None, f"The repository can't be read: {error}"
    told = (
        f"Commit {commit[:12]} has no file {visible(path)} of UTF-8 text of up to {SOURCE_BYTES >> 10} KiB."
    )
    return commit, text, "" if text is not None else told


@require_safe
@viewers
def orphan_twin(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the module beside the live module that it is like; asked by htmx, only the comparison."""
    module = module_of(request, pk)
    context = {"module": panels.module_row(module), **_twin(engine_named(request, module.subject), module)}
    part = "" if getattr(request, "htmx", False) else "module_"
    return render(request, f"orphans/{part}twin.html", context)


def _twin(engine: Engine, module: OrphanModule) -> dict[str, Any]:
    if not module.twin:
        return {"problem": "No live module is like it."}
    commit, own, problem = _read(engine, module, module.path)
    _, other, missing = _read(engine, module, module.twin) if own is not None else ("", None, problem)
    if own is None or other is None:
        return {"problem": missing, "commit": commit}
    found = compared(own, other)
    return {"rows": found.rows, "counts": found.counts, "cut": found.cut, "commit": commit}


@require_safe
@viewers
def orphan_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show everything that was observed in the self-test of one module."""
    run = get_object_or_404(runs_of(request).select_related("batch"), pk=pk)
    return render(request, "orphans/run.html", {"run": panels.run_head(run)})
