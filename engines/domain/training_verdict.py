"""From a training run's numbers to what the challenger is worth. Pure; computed outside of the run.

The held-out rows decide where the metric is a mean over rows: right or wrong by McNemar's mid-p test,
other numbers by the studentised paired bootstrap. Metrics that aren't (f1, roc_auc, rmse) are decided by
the folds with the corrected resampled t-test. Alpha is a share of 5 %, so that repeating cycles doesn't
add up false promotions (`alpha_for`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from engines.domain.results import Artifact, AutomationResult, Roi
from engines.domain.roi import ValueModel, cycle_cost, roi_gain
from engines.domain.significance import (
    Significance,
    alpha_for,
    corrected_paired_test,
    mcnemar,
    paired_bootstrap,
)
from engines.domain.training_report import ReportError, Side, TrainingReport

PROMOTABLE: Final = "promotable"
NO_GAIN: Final = "no significant gain"
NO_CHALLENGER: Final = "no challenger: the search found nothing better than what is deployed"
NEVER_PAYS: Final = "a significant gain, but it costs more than it is worth"


def judge(
    report: TrainingReport,
    model: ValueModel,
    *,
    challengers_judged: int,
    cpu_seconds: float,
    seed: int,
    artifact: Artifact | None = None,
    champion_artifact: Artifact | None = None,
) -> AutomationResult:
    """Return the outcome of a training run.

    `challengers_judged`: how many this engine had before; `cpu_seconds`: of the whole run, measured from
    outside. Raises ReportError when the report is about another metric than the value model.
    """
    if (report.metric, report.direction) != (model.metric, model.direction):
        raise ReportError(f"the run measured {report.metric}, but {model.metric} is what pays")
    parts = _always(report) | {"cpu_seconds": cpu_seconds, "champion_artifact": champion_artifact}
    if report.challenger is None or report.uplift is None:
        roi = _cost_only(model, cpu_seconds)
        return AutomationResult(roi=roi, verdict=NO_CHALLENGER, **parts)
    answer = compare(report, report.challenger, alpha_for(challengers_judged + 1), seed)
    roi = roi_gain(report.uplift, answer, model, cpu_seconds=cpu_seconds)
    return AutomationResult(
        roi=roi,
        verdict=verdict(answer, roi),
        challenger=_shown(report.challenger),
        significance={**asdict(answer), "uplift": report.uplift, "metric": report.metric},
        artifact=artifact,
        **parts,
    )


def _always(report: TrainingReport) -> dict[str, Any]:
    """Return what a result holds whether or not there is a challenger."""
    return {
        "champion": _shown(report.champion),
        "search": dict(report.search),
        "metrics": dict(report.champion.metrics),
    }


def compare(report: TrainingReport, challenger: Side, alpha: float, seed: int) -> Significance:
    """Test champion against challenger in the strongest way that the report allows."""
    old, new = report.champion.contributions, challenger.contributions
    if old is None or new is None:
        return corrected_paired_test(
            report.champion.fold_scores, challenger.fold_scores, 1 / report.folds, alpha
        )
    if set(old) | set(new) <= {0.0, 1.0}:
        return mcnemar([each == 1.0 for each in old], [each == 1.0 for each in new], alpha)
    return paired_bootstrap(old, new, alpha, seed=seed)


def verdict(answer: Significance, roi: Roi) -> str:
    """Put the outcome in words."""
    if not answer.significant:
        return NO_GAIN
    return PROMOTABLE if roi.roi_gain > 0 else NEVER_PAYS


def _cost_only(model: ValueModel, cpu_seconds: float) -> Roi:
    cost = cycle_cost(cpu_seconds, 0, model)
    return Roi(roi_gain=-cost, value=0.0, cost=cost)


def _shown(side: Side) -> Mapping[str, Any]:
    """Return a side without its rows, which are too many for a database row."""
    return {
        "params": dict(side.params),
        "metrics": dict(side.metrics),
        "fold_scores": list(side.fold_scores),
    }
