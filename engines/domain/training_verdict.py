"""From a training run's numbers to what the challenger is worth. Pure; computed outside of the run.

Two kinds of evidence are always weighed, and both are kept. The held-out rows, which no search saw, decide:
right or wrong by McNemar's mid-p test, other numbers a row by the studentised paired bootstrap. The corrected
resampled t-test on the folds that both were trained on may object (`contradicts`), and decides only where no
rows were handed over; then the held-out metric may object. Alpha is a share of 5 %, so that repeating cycles
doesn't add up false promotions (`alpha_for`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from engines.domain.results import Artifact, AutomationResult, Roi
from engines.domain.roi import ValueModel, cycle_cost, roi_gain
from engines.domain.significance import (
    Significance,
    alpha_for,
    contradicts,
    corrected_paired_test,
    mcnemar,
    paired_bootstrap,
)
from engines.domain.training_report import ReportError, Side, TrainingReport
from engines.domain.training_words import CONTRADICTED, NEVER_PAYS, NO_CHALLENGER, NO_GAIN, PROMOTABLE


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
    found = weigh(report, report.challenger, report.uplift, alpha_for(challengers_judged + 1), seed)
    roi = roi_gain(report.uplift, found.answer, model, cpu_seconds=cpu_seconds)
    return AutomationResult(
        roi=roi,
        verdict=verdict(found, roi),
        challenger=_shown(report.challenger),
        significance={"metric": report.metric, "uplift": report.uplift, **found.as_data()},
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


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What both kinds of evidence say, and which of them decided."""

    #: the test that decides; not significant when the other evidence objects
    answer: Significance
    #: None where fewer than two folds were scored
    folds: Significance | None
    decided_by: str
    #: what speaks against a gain that is significant by itself; empty when nothing does
    objection: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the deciding test's values, and those of the folds beside them."""
        folds = None if self.folds is None else asdict(self.folds)
        return {
            **asdict(self.answer),
            "decided_by": self.decided_by,
            "objection": self.objection,
            "folds": folds,
        }


def weigh(report: TrainingReport, challenger: Side, uplift: float, alpha: float, seed: int) -> Evidence:
    """Test champion against challenger on the held-out rows and on the folds, and combine the two.

    Raises InvalidInput when there are neither rows nor two folds.
    """
    rows, folds = by_rows(report, challenger, alpha, seed), by_folds(report, challenger, alpha)
    if rows is None:
        answer = folds or corrected_paired_test((), (), 1 / report.folds, alpha)
        against = "" if uplift > 0 else "no gain on the held-out rows"
    else:
        answer = rows
        against = "worse on the folds" if folds is not None and contradicts(folds) else ""
    return Evidence(
        answer=replace(answer, significant=answer.significant and not against),
        folds=folds,
        decided_by="folds" if rows is None else "held-out rows",
        objection=against if answer.significant else "",
    )


def by_folds(report: TrainingReport, challenger: Side, alpha: float) -> Significance | None:
    """Test the scores on the same folds; None when there are fewer than two."""
    old, new = report.champion.fold_scores, challenger.fold_scores
    return None if len(new) < 2 else corrected_paired_test(old, new, 1 / report.folds, alpha)


def by_rows(report: TrainingReport, challenger: Side, alpha: float, seed: int) -> Significance | None:
    """Test the held-out rows in pairs; None when they weren't handed over."""
    old, new = report.champion.contributions, challenger.contributions
    if old is None or new is None:
        return None
    if set(old) | set(new) <= {0.0, 1.0}:
        return mcnemar([each == 1.0 for each in old], [each == 1.0 for each in new], alpha)
    return paired_bootstrap(old, new, alpha, seed=seed)


def verdict(found: Evidence, roi: Roi) -> str:
    """Put the outcome in words."""
    if found.objection:
        return CONTRADICTED
    if not found.answer.significant:
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
