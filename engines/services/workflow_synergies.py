"""Keeps what a module added to a workflow in each scenario, as synergy samples of the workflow.

The combined run is the workflow with the module in it, the other side the workflow without. The module
alone is no side: it would need the payload that only the workflow makes, and another input is no fair
comparison.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from engines.domain.roi import ValueModel
from engines.domain.workflows.sides import raw_of, raw_of_all
from engines.models import Engine
from engines.services import bots
from forecasting.domain.metrics import PREFIX, Raw, short
from forecasting.models import SynergySample
from forecasting.services.synergies import record_synergy
from orphans.domain.preset_adapting import adapted, moves
from orphans.domain.presets import Preset
from orphans.services.presets import configured

SUBJECT_CHARS, SCENARIO_CHARS = 128, 64


def keep(engine: Engine, results: Mapping[str, Mapping[str, Any]], cycle_id: int) -> int:
    """Keep a sample for each proposal that was benchmarked and each scenario, and one of all together.

    Returns how many.

    A repeated call replaces what the same cycle said.
    """
    prices = bots.value_model(bots.manifest_of(engine))
    proposals = results.get("orphans", {}).get("proposals", ())
    found = [(n, each) for n, each in enumerate(proposals) if (each.get("benchmark") or {}).get("presets")]
    kept = 0
    for number, each in found:
        subject = subject_of(engine, each["workflow"])
        for scenario, (with_it, without) in _compared(each["benchmark"], prices).items():
            row = record_synergy(
                subject,
                f"cycle:{cycle_id}:{number}",
                combined=[with_it],
                alone=[[without]],
                roi_delta=_gain(with_it, without),
                scenario=scenario[:SCENARIO_CHARS],
            )
            kept += row is not None
    return kept


def subject_of(engine: Engine, workflow: str) -> str:
    """Return what the synergy samples of a workflow are kept under."""
    return f"{engine.name}/{workflow}"[:SUBJECT_CHARS]


class Foreseen:
    """What is foreseen of a subject's synergy over all scenarios, as `adapt_presets` asks for it."""

    def __init__(self, subject: str) -> None:
        row = SynergySample.objects.filter(subject=subject, scenario="").order_by("-at", "-id").first()
        self._ahead: Mapping[str, Mapping[str, Any]] = row.ahead if row is not None else {}

    def predict_synergy_metric(self, name: str) -> float | None:
        """Return the next value of a metric; None where it was never measured."""
        return self._ahead.get(PREFIX + short(name), {}).get("value")

    def reliability(self, metric: str) -> float | None:
        """Return how exact its forecasts were, 0 to 1; None before the first met its outcome."""
        return self._ahead.get(PREFIX + short(metric), {}).get("reliability")


def presets_for(subject: str) -> list[Preset]:
    """Return the presets that the settings name; with `SANDBOX_ADAPT_PRESETS` moved by what is foreseen."""
    named = configured()
    if not settings.SANDBOX.adapt_presets:
        return named
    found = moves(Foreseen(subject))
    return [adapted(preset, found) for preset in named]


def _compared(benchmark: Mapping[str, Any], prices: ValueModel | None) -> dict[str, tuple[Raw, Raw]]:
    """Return by scenario the raw numbers with the module and without it; the empty one is all together."""
    found: dict[str, tuple[Raw, Raw]] = {
        scenario: (raw_of(sides["candidate"], prices), raw_of(sides["parent"], prices))
        for scenario, sides in sorted(benchmark["presets"].items())
    }
    return {
        "": (raw_of_all(benchmark, "candidate", prices), raw_of_all(benchmark, "parent", prices)),
        **found,
    }


def _gain(with_it: Raw, without: Raw) -> float | None:
    """Return how much more a run is worth with the module; None where a part was not measured."""
    worths = []
    for side in (with_it, without):
        value, cost = side["value"], side["cost"]
        if value is None or cost is None:
            return None
        worths.append(value - cost)
    return worths[0] - worths[1]
