"""How far an engine's modules have come: what cycles brought them, and which are complete."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any, Final

from django.conf import settings

from engines.models import Engine
from forecasting.domain.entropy import of_calls
from forecasting.domain.rankings import Limits
from forecasting.services import modules
from forecasting.services.modules import Brought
from orphans.models import ModuleRun

MOST: Final = 1_000
"""At most so many modules of a cycle are counted."""


def limits() -> Limits:
    """Return when a module counts as complete, from the settings."""
    given = settings.SANDBOX
    return Limits(
        roi=given.roi_threshold,
        synergy=given.synergy_threshold,
        entropy=given.entropy_threshold,
        plateau=given.entropy_plateau_threshold,
        consecutive=given.entropy_plateau_consecutive,
    )


def usual_size(engine: Engine) -> float | None:
    """Return the mean size of the ROI deltas that the engine remembers; None before the first."""
    deltas = [abs(entry["delta"]) for entry in engine.roi_history]
    return fmean(deltas) if deltas else None


def brought(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Brought]:
    """Return what a cycle measured of each module, by path, from the result of its step *orphans*.

    The entropy is that of the calls in its self-test. Its ROI is what benchmarks say it adds to the workflows
    that it fits; where none was made, it was not measured.
    """
    told = results.get("orphans", {})
    gains = _gains(told.get("proposals", ()))
    entropies = _entropies(told.get("batch"))
    paths = sorted({*gains, *entropies})[:MOST]
    return {path: Brought(roi=gains.get(path), entropy=entropies.get(path)) for path in paths}


def _gains(proposals: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the ROI that each module added, over all workflows that were benchmarked with it."""
    found: dict[str, float] = {}
    for each in proposals:
        roi = (each.get("benchmark") or {}).get("roi")
        if roi is not None:
            found[each["module_path"]] = found.get(each["module_path"], 0.0) + roi
    return found


def _entropies(batch: int | None) -> dict[str, float]:
    if batch is None:
        return {}
    runs = ModuleRun.objects.filter(batch=batch).exclude(functions={}).order_by("path")
    measured = {path: of_calls(calls) for path, calls in runs.values_list("path", "functions")[:MOST]}
    return {path: bits for path, bits in measured.items() if bits is not None}


def complete_of(engine: Engine) -> dict[str, str]:
    """Return the modules that the engine's cycles skip, each with the reason."""
    return modules.complete_of(engine.name)
