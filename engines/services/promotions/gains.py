"""What a candidate gains over what is live, from the comparison that it won."""

from collections.abc import Mapping
from typing import Any, Final

from engines.domain.promotion_gain import Pairs, Saving, pairs_test, saving_of
from engines.domain.results import Json
from engines.domain.training_words import PROMOTABLE
from engines.models import CycleStep, ModelVersion, WorkflowRevision

Document = dict[str, Json]
ALPHA: Final = 0.05
NOTHING: Document = {
    "significant": None,
    "roi_gain": None,
    "value": None,
    "cost": None,
    "low": None,
    "high": None,
    "uplift": None,
    "metric": None,
    "before": None,
    "after": None,
    "test": None,
}
"""Every key of a gain, with nothing measured."""


def gain_of(candidate: ModelVersion | WorkflowRevision) -> Document:
    """Return whether the gain is significant, what it is worth, and how that was found."""
    if isinstance(candidate, ModelVersion):
        rows = CycleStep.objects.filter(cycle=candidate.cycle_id, name="retrain")
        return of_model(rows.values_list("result", flat=True).first() or {}, candidate)
    return of_revision(candidate.benchmark)


def of_model(result: Mapping[str, Any], candidate: ModelVersion | None = None) -> Document:
    """Return the gain of a training run's challenger.

    A run of the same cycle that was repeated since made another model: nothing is known then.
    """
    artifact = result.get("artifact") or {}
    other = candidate is not None and artifact.get("sha256", "") != candidate.sha256
    if not result.get("verdict") or not result.get("roi") or other:
        return dict(NOTHING)
    significance, roi = result.get("significance") or {}, result["roi"]
    metric = significance.get("metric")
    won = result["verdict"] == PROMOTABLE
    return {
        **NOTHING,
        **{name: roi.get(name) for name in ("roi_gain", "value", "cost", "low", "high")},
        "significant": True if won else significance.get("significant"),
        "uplift": significance.get("uplift"),
        "metric": metric,
        "before": _metric(result.get("champion"), metric),
        "after": _metric(result.get("challenger"), metric),
        "test": significance or None,
    }


def _metric(side: Mapping[str, Any] | None, metric: str | None) -> Json:
    metrics: Mapping[str, Any] = (side or {}).get("metrics") or {}
    return None if metric is None else metrics.get(metric)


def of_revision(benchmark: Mapping[str, Any] | None) -> Document:
    """Return the gain of a workflow's revision over its parent, from their runs side by side.

    It succeeds more often, or it takes less: where both were asked, the smaller p-value counts twice
    (Bonferroni), and tells which.
    """
    if benchmark is None:
        return dict(NOTHING)
    pairs, saved = Pairs.of(benchmark.get("presets") or {}), saving_of(benchmark.get("savings"))
    more = pairs_test(pairs)
    if saved is not None and (more is None or saved.p_value < more):
        return _of_saving(saved)
    p_value = more if more is None or saved is None else min(1.0, 2 * more)
    return {
        **NOTHING,
        "significant": None if p_value is None else p_value < ALPHA,
        "roi_gain": benchmark.get("roi"),
        "metric": "successes",
        "before": pairs.parent,
        "after": pairs.candidate,
        "uplift": benchmark.get("success_delta"),
        "test": {"method": "Fisher, one-sided", "p_value": p_value, "runs": pairs.runs},
    }


def _of_saving(saved: Saving) -> Document:
    """Return the gain of a revision that takes less CPU time and succeeds as often."""
    p_value = min(1.0, 2 * saved.p_value)
    return {
        **NOTHING,
        "significant": p_value < ALPHA,
        "roi_gain": saved.roi,
        "metric": "cpu_seconds",
        "before": saved.before,
        "after": saved.after,
        "uplift": saved.before - saved.after,
        "test": {"method": "Wilcoxon signed-rank, one-sided", "p_value": p_value, "runs": saved.pairs},
    }
