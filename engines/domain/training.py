"""The job that trains challengers, inside a run.

Called by the sandbox's first process as `train(payload, job)`; what it returns is plain JSON that the
worker checks before it believes the shape of it, and judges itself. Nothing here decides whether a
challenger won: that is done from the numbers, outside.
"""

from collections.abc import Mapping
from typing import Any, Final

from engines.domain.results import Budget
from engines.domain.search import SearchResult, Trial, search
from engines.domain.training_evaluate import ARTIFACT, CHAMPION, Job, describe
from engines.domain.training_scores import contributions, score_all
from engines.domain.training_setting import Setting, cpu_seconds, setting

COMPARE_REPEATS: Final = 2
COMPARE_SHARE: Final = 0.2
"""Part of the CPU budget for measuring one side of the comparison; costly models get one repeat less."""
SEARCH_LEAST: Final = 0.5
"""Part of the CPU budget that the search always gets."""
COMPARE_SEED: Final = 104_729
"""Added to the seed, so that the folds of the comparison are not those that the search chose by."""
SEARCH_SPAN: Final = 0.9
STATES: Final = ("complete", "stopped", "unfinished", "failed")
SHOWN_TRIALS: Final = 20
MAX_TEST_ROWS: Final = 20_000
"""Rows whose contributions are handed over one by one; above, the folds have to do."""

Json = Any


def train(payload: Mapping[str, Any], job: Job) -> dict[str, Json]:
    """Search for a challenger within the budget and measure it beside the champion.

    Payload as for `evaluate`, and `cpu_seconds`, `trials`, `search_seed`. The test rows are held out
    before the search starts. Champion and challenger are trained on the same folds of the development
    rows, drawn with another seed than the search's, and then on all of them to be scored on the test
    rows. Their models are left in scratch as `champion.bin` and `model.bin`.

    Returns `champion` and `challenger` (`params`, `fold_scores` with more being better, `metrics` on the
    test rows and `contributions` of each test row to the metric or None; challenger None when the search
    found nothing but the champion), `search`, `rows`, `test_rows`, `folds`, `digest`, `cpu_seconds`.
    """
    here = setting(payload)
    params = dict(payload.get("params") or here.bot.defaults)
    # The champion goes first, so that what libraries load on first use isn't taken for a slow model.
    job.progress(None, "measuring what is deployed")
    began, budget = cpu_seconds(), float(payload["cpu_seconds"])
    champion = _measured(here, params, job, CHAMPION, COMPARE_SHARE * budget)
    left = max(SEARCH_LEAST * budget, (1.0 - COMPARE_SHARE) * budget - (cpu_seconds() - began))
    found = _searched(here, params, payload, job, left)
    best = dict(found.best)
    job.progress(SEARCH_SPAN, "measuring the challenger")
    challenger = None if best == params else _measured(here, best, job, ARTIFACT, COMPARE_SHARE * budget)
    return {
        "task": here.bot.task,
        "metric": here.bot.metric,
        "direction": "max" if here.sign > 0 else "min",
        "rows": len(here.parts.learn),
        "test_rows": len(here.parts.score),
        "folds": len(here.folds(here.seed)),
        "digest": here.bot.digest,
        "data": describe(here.bot),
        **_on_the_same_folds(champion, challenger),
        "search": summary(found),
        "cpu_seconds": cpu_seconds(),
    }


def _searched(
    here: Setting, params: dict[str, Any], payload: Mapping[str, Any], job: Job, left: float
) -> SearchResult:
    """Search within `left` CPU seconds and the trials, the champion being the first of them."""
    seed = int(payload["search_seed"])
    parts = here.folds(seed)
    return search(
        here.bot.space,
        lambda tried, fold: here.fold_score(tried, parts[fold]),
        budget=Budget(cpu_seconds=left, trials=int(payload["trials"])),
        seed=seed,
        folds=len(parts),
        incumbent=params,
        clock=cpu_seconds,
        progress=lambda fraction, message: job.progress(SEARCH_SPAN * fraction, message),
    )


def _measured(
    here: Setting, params: Mapping[str, Any], job: Job, file: str, allowed: float
) -> dict[str, Json]:
    """Train one side on all development rows and on the comparison folds; score it everywhere."""
    model = here.fit(params, here.parts)
    here.bot.save(model, str(job.scratch / file))
    scores = _fold_scores(here, params, allowed)
    told = here.told(model, here.parts)
    rows = contributions(here.bot.metric, told) if len(told.truth) <= MAX_TEST_ROWS else None
    return {
        "params": dict(params),
        "fold_scores": scores,
        "metrics": score_all(here.bot.task, told),
        "contributions": None if rows is None else rows.tolist(),
    }


def _fold_scores(here: Setting, params: Mapping[str, Any], allowed: float) -> list[float]:
    """Return the scores on all folds, or on those of the first repeat when all would cost too much."""
    parts = here.folds(here.seed + COMPARE_SEED, repeats=COMPARE_REPEATS)
    began = cpu_seconds()
    scores = [here.fold_score(params, parts[0])]
    if (cpu_seconds() - began) * len(parts) > allowed:
        parts = parts[: len(parts) // COMPARE_REPEATS]
    return scores + [here.fold_score(params, fold) for fold in parts[1:]]


def _on_the_same_folds(champion: dict[str, Json], challenger: dict[str, Json] | None) -> dict[str, Json]:
    """Cut both sides to the folds that both were measured on."""
    sides = {"champion": champion, "challenger": challenger}
    count = min(len(side["fold_scores"]) for side in sides.values() if side)
    return {
        name: side and side | {"fold_scores": side["fold_scores"][:count]} for name, side in sides.items()
    }


def summary(found: SearchResult) -> dict[str, Json]:
    """Return a search without the noise: how it ended and its best trials, best first."""
    trials = sorted(found.trials, key=_rank)
    return {
        "trials": len(found.trials),
        "stopped_by": found.stopped_by,
        "cpu_seconds": found.cpu_seconds,
        "best_score": found.best_score,
        "states": {state: sum(trial.state == state for trial in found.trials) for state in STATES},
        "shown": [_row(trial) for trial in trials[:SHOWN_TRIALS]],
    }


def _rank(trial: Trial) -> tuple[bool, bool, float]:
    """Sort the trials that were measured on all folds first, then by score, failed ones last."""
    return trial.score is None, trial.state != "complete", -(trial.score or 0.0)


def _row(trial: Trial) -> dict[str, Json]:
    return {
        "number": trial.number,
        "params": dict(trial.params),
        "score": trial.score,
        "folds": len(trial.fold_scores),
        "state": trial.state,
        "cpu_seconds": trial.cpu_seconds,
        "error": trial.error,
    }
