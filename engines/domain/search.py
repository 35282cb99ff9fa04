"""The search for a challenger within an energy budget; runs inside the training process.

The deployed configuration is measured first.  Proposals come from a tree-structured Parzen estimator
(Optuna, multivariate) after one cheap probe per branch of the space, and race fold by fold against the
best so far: one that falls behind on the folds both have seen is stopped (as in F-Race and SMAC's
intensification).  What is left of the budget decides whether a proposal is still tried.

When the trials end before the CPU time does, the result depends on the seed and the scores alone.
See docs/algorithms/search.md for what this was measured against.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final, Literal

from engines.domain.errors import InvalidInput
from engines.domain.results import Budget
from engines.domain.search_cost import Costs
from engines.domain.search_proposals import Proposals
from engines.domain.search_space import Params, Scalar, parse

Evaluate = Callable[[Params, int], float]
Progress = Callable[[float, str], None]
StoppedBy = Literal["trials", "cpu_seconds", "space"]

REPEATS_BEFORE_EXHAUSTED: Final = 40
"""Proposals in a row that were tried before, after which the space counts as exhausted."""
MISFITS_BEFORE_END: Final = 12
"""Proposals in a row that don't fit into what is left of the CPU time, after which the search ends."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One configuration that was tried.

    `score` is the mean of its `fold_scores` (more is better; None when it failed).  `state`: "complete",
    "stopped" (fell behind the best), "unfinished" (the CPU time ended) or "failed" (see `error`).
    """

    number: int
    params: Mapping[str, Scalar]
    fold_scores: tuple[float, ...]
    state: Literal["complete", "stopped", "unfinished", "failed"]
    cpu_seconds: float
    error: str = ""

    @property
    def score(self) -> float | None:
        """Mean over the folds that were measured."""
        return fmean(self.fold_scores) if self.fold_scores and self.state != "failed" else None


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What a search found; `best` is the incumbent when nothing beat it."""

    best: Mapping[str, Scalar]
    best_score: float
    best_fold_scores: tuple[float, ...]
    incumbent_fold_scores: tuple[float, ...] | None
    trials: tuple[Trial, ...]
    cpu_seconds: float
    stopped_by: StoppedBy


@dataclass
class _Search:
    evaluate: Evaluate
    folds: int
    budget: Budget
    clock: Callable[[], float]
    progress: Progress
    began: float = 0.0
    best: Trial | None = None
    costs: Costs = field(default_factory=Costs)
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def used(self) -> float:
        return self.clock() - self.began

    @property
    def left(self) -> float:
        return self.budget.cpu_seconds - self.used

    def fits(self, params: Params, folds: int) -> bool:
        """Whether so many folds of a configuration are expected to fit into what is left."""
        left = self.left
        return left > 0 and self.costs.predict(params) * folds <= left

    def run(self, params: Params, *, race: bool) -> Trial:
        """Try one configuration, fold by fold, and remember it."""
        trial = self._measured(params, race=race)
        self.trials.append(trial)
        if trial.state == "complete" and (self.best is None or _mean(trial) > _mean(self.best)):
            self.best = trial
        fraction = max(len(self.trials) / self.budget.trials, self.used / self.budget.cpu_seconds)
        self.progress(min(fraction, 1.0), f"trial {len(self.trials)} of {self.budget.trials}: {trial.state}")
        return trial

    def _measured(self, params: Params, *, race: bool) -> Trial:
        scores: list[float] = []
        began = self.clock()
        state, error = "complete", ""
        for fold in range(self.folds):
            if fold and not self.fits(params, 1):
                state = "unfinished"
                break
            before = self.clock()
            try:
                scores.append(_finite(self.evaluate(dict(params), fold)))
            except Exception as failure:  # noqa: BLE001 - a bot's code may raise anything; it is reported
                state, error = "failed", f"{type(failure).__name__}: {failure}"[:500]
                break
            self.costs.add(params, self.clock() - before)
            if race and fold + 1 < self.folds and self.behind(scores):
                state = "stopped"
                break
        return Trial(
            number=len(self.trials),
            params=params,
            fold_scores=tuple(scores),
            state=state,  # type: ignore[arg-type]
            cpu_seconds=self.clock() - began,
            error=error,
        )

    def behind(self, scores: Sequence[float]) -> bool:
        """Whether these scores are worse on average than the best configuration's on the same folds."""
        return self.best is not None and fmean(scores) < fmean(self.best.fold_scores[: len(scores)])

    def estimate(self, trial: Trial) -> float | None:
        """Return a trial's score on all folds, the missing ones taken from its distance to the best."""
        if trial.score is None or self.best is None or trial.state == "complete":
            return trial.score
        done = len(trial.fold_scores)
        return _mean(self.best) + trial.score - fmean(self.best.fold_scores[:done])


def search(
    space: Any,
    evaluate: Evaluate,
    *,
    budget: Budget,
    seed: int,
    folds: int,
    incumbent: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.process_time,
    progress: Progress = lambda fraction, message: None,
) -> SearchResult:
    """Search `space` (see search_space.py) for parameters whose mean score over the folds is highest.

    `evaluate(params, fold)` returns the score on fold 0 … folds - 1, more is better; what it raises, and a
    score that is not finite, is a failed trial.  `budget.trials` counts every configuration, the incumbent
    included; `budget.cpu_seconds` is read off `clock` between folds, and a fold is started only when it is
    expected to end in time.  The incumbent may lie outside the space.

    Raises InvalidInput for a wrong space or budget, or when no configuration could be measured at all.
    """
    proposals = Proposals(parse(space), seed)  # loads Optuna, which is no part of the budget
    _check(budget, folds)
    state = _Search(evaluate, folds, budget, clock, progress)
    if incumbent is not None:
        state.run(dict(incumbent), race=False)
        proposals.tell(state.trials[0].params, state.estimate(state.trials[0]))
    stopped_by = _explore(state, proposals)
    return _result(state, stopped_by, has_incumbent=incumbent is not None)


def _explore(state: _Search, proposals: Proposals) -> StoppedBy:
    repeats = misfits = 0
    tried = {_identity(trial.params) for trial in state.trials}
    while len(state.trials) < state.budget.trials:
        if repeats >= REPEATS_BEFORE_EXHAUSTED:
            return "space"
        if misfits >= MISFITS_BEFORE_END or state.left <= 0:
            return "cpu_seconds"
        params = proposals.ask()
        if _identity(params) in tried:
            repeats += 1
            proposals.drop()
        elif state.trials and not state.fits(params, state.folds):
            misfits += 1
            proposals.drop(retry_smaller=True)
        else:
            repeats = misfits = 0
            tried.add(_identity(params))
            proposals.answer(state.estimate(state.run(params, race=True)))
    return "trials"


def _result(state: _Search, stopped_by: StoppedBy, *, has_incumbent: bool) -> SearchResult:
    first = state.trials[0] if state.trials else None
    best = state.best or max(
        (trial for trial in state.trials if trial.score is not None),
        key=lambda t: len(t.fold_scores),
        default=None,
    )
    if best is None or best.score is None:
        why = f", the first because of {first.error}" if first else ""
        raise InvalidInput(f"no configuration could be measured{why}", field="space")
    return SearchResult(
        best=best.params,
        best_score=best.score,
        best_fold_scores=best.fold_scores,
        incumbent_fold_scores=first.fold_scores if has_incumbent and first and first.fold_scores else None,
        trials=tuple(state.trials),
        cpu_seconds=state.used,
        stopped_by=stopped_by
        if all(trial.state != "unfinished" for trial in state.trials)
        else "cpu_seconds",
    )


def _check(budget: Budget, folds: int) -> None:
    if not 0 < budget.cpu_seconds < float("inf"):
        raise InvalidInput("the budget needs CPU seconds above 0", field="cpu_seconds")
    if budget.trials < 1:
        raise InvalidInput("the budget needs 1 trial or more", field="trials")
    if folds < 1:
        raise InvalidInput("there must be 1 fold or more", field="folds")


def _mean(trial: Trial) -> float:
    return fmean(trial.fold_scores)


def _finite(score: float) -> float:
    value = float(score)
    if value - value != 0:
        raise ValueError(f"the score is {value}")
    return value


def _identity(params: Mapping[str, Scalar]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in params.items()))
