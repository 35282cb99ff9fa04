"""What scenarios did to a subject's ROI and to the metrics of synergy, newest beside the one before."""

from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.models import SynergySample
from forecasting.panels.outcomes import MAX_OUTCOMES, is_number

Panel = dict[str, Any]
MAX_SCENARIOS = 50


def scenario_panel(subjects: Sequence[str]) -> Panel:
    """Return the newest measurement of each scenario, beside the one before it.

    Keys, each by scenario: `scenario_roi_deltas`, `scenario_metrics_delta` (newest value of each synergy
    metric minus the one before) and `scenario_synergy_delta` (the same of the ROI's synergy);
    `worst_scenario`: the one with the lowest ROI delta, None without any. What was not measured twice has no
    change.
    """
    pairs = _newest_pairs(subjects)
    deltas = {name: pair[0]["roi_delta"] for name, pair in pairs.items()}
    known = {name: value for name, value in deltas.items() if value is not None}
    changes = {name: _changes(pair) for name, pair in pairs.items()}
    return {
        "scenario_roi_deltas": deltas,
        "scenario_metrics_delta": changes,
        "scenario_synergy_delta": {name: each.get("synergy_roi") for name, each in changes.items()},
        "worst_scenario": min(known, key=lambda name: known[name]) if known else None,
    }


def _newest_pairs(subjects: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return by scenario its newest sample and the one before, of the newest `MAX_OUTCOMES` samples."""
    samples = SynergySample.objects.filter(subject__in=subjects).exclude(scenario="").order_by("-at", "-id")
    pairs: dict[str, list[Mapping[str, Any]]] = {}
    for row in samples.values("scenario", "roi_delta", "metrics")[:MAX_OUTCOMES]:
        pair = pairs.setdefault(row["scenario"], [])
        if len(pair) < 2:
            pair.append(row)
    return dict(sorted(pairs.items())[:MAX_SCENARIOS])


def _changes(pair: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    if len(pair) < 2:
        return {}
    newest, before = (row["metrics"] if isinstance(row["metrics"], dict) else {} for row in pair)
    both = [name for name in newest if is_number(newest[name]) and is_number(before.get(name))]
    return {name: newest[name] - before[name] for name in sorted(both)}
