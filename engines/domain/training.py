"""The jobs that run inside a run: evaluate what is deployed, train challengers.

Called by the sandbox's first process as `function(payload, job)`; what they return is plain JSON that
the worker checks before it believes the shape of it, and judges itself. Nothing here decides whether a
challenger won: that is done from the numbers, outside.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from engines.domain.results import Budget
from engines.domain.search import SearchResult, Trial, search
from engines.domain.training_bot import Bot
from engines.domain.training_scores import contributions, score_all
from engines.domain.training_setting import FOLDS, Setting, cpu_seconds, setting

ARTIFACT: Final = "model.bin"
CHAMPION: Final = "champion.bin"
COMPARE_REPEATS: Final = 2
COMPARE_SHARE: Final = 0.2
"""Part of the CPU budget kept for comparing the two models after the search."""
COMPARE_SEED: Final = 104_729
"""Added to the seed, so that the folds of the comparison are not those that the search chose by."""
SEARCH_SPAN: Final = 0.8
STATES: Final = ("complete", "stopped", "unfinished", "failed")
SHOWN_TRIALS: Final = 20
MAX_TEST_ROWS: Final = 20_000
"""Rows whose contributions are handed over one by one; above, the folds have to do."""

Json = Any


class Job(Protocol):
    """What the sandbox hands to a job."""

    scratch: Path
    checkout: Path | None

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the job is."""
        ...


def evaluate(payload: Mapping[str, Any], job: Job) -> dict[str, Json]:
    """Score what is deployed on the held-out rows and describe the data.

    Payload: `pipeline`, `metric`, `direction`, `seed`, `params` (None: the bot's defaults) and
    `artifact` (True: load `champion.bin` from scratch instead of training).
    Returns `metrics`, `data`, `digest`, `params`, `task`, `metric`.
    """
    here = setting(payload)
    params = payload.get("params") or here.bot.defaults
    job.progress(0.3, "data loaded")
    model = _champion(here, params, job, kept=bool(payload.get("artifact")))
    told = here.told(model, here.parts)
    return {
        "metrics": score_all(here.bot.task, told),
        "data": describe(here.bot),
        "digest": here.bot.digest,
        "params": params,
        "task": here.bot.task,
        "metric": here.bot.metric,
    }


def _champion(here: Setting, params: Mapping[str, Any], job: Job, *, kept: bool) -> Any:
    return here.bot.load(str(job.scratch / CHAMPION)) if kept else here.fit(params, here.parts)


def describe(bot: Bot) -> dict[str, float]:
    """Return figures about the data whose change over cycles may call for a new model."""
    figures = {"data_rows": float(len(bot.y)), "data_columns": float(bot.x[:1].size)}
    if bot.x.dtype.kind in "fiub":
        numbers = bot.x.astype(float).reshape(len(bot.x), -1)
        usable = np.isfinite(numbers)
        figures["data_missing_share"] = float(1.0 - usable.mean())
    if bot.task == "regression":
        figures |= {"target_mean": float(bot.y.mean()), "target_std": float(bot.y.std())}
    else:
        counts = np.unique(bot.y, return_counts=True)[1]
        figures["target_majority_share"] = float(counts.max() / counts.sum())
        figures["target_minority_share"] = float(counts.min() / counts.sum())
    return figures


def train(payload: Mapping[str, Any], job: Job) -> dict[str, Json]:
    """Search for a challenger within the budget and measure it beside the champion.

    Payload as for `evaluate`, and `cpu_seconds`, `trials`, `search_seed`. The test rows are held out
    before the search starts. Champion and challenger are trained on the same folds of the development
    rows, drawn with another seed than the search's, and then on all of them to be scored on the test
    rows. The challenger's model is left in scratch as `model.bin`.

    Returns `champion` and `challenger` (`params`, `fold_scores` with more being better, `metrics` on the
    test rows and `contributions` of each test row to the metric or None; challenger None when the search
    found nothing but the champion), `search`, `rows`, `test_rows`, `folds`, `digest`, `cpu_seconds`.
    """
    here = setting(payload)
    params = dict(payload.get("params") or here.bot.defaults)
    found = _searched(here, params, payload, job)
    best = dict(found.best)
    return {
        "task": here.bot.task,
        "metric": here.bot.metric,
        "direction": "max" if here.sign > 0 else "min",
        "rows": len(here.parts.learn),
        "test_rows": len(here.parts.score),
        "folds": FOLDS,
        "digest": here.bot.digest,
        "data": describe(here.bot),
        "champion": _measured(here, params, job, 0.8),
        "challenger": None if best == params else _measured(here, best, job, 0.9, keep=True),
        "search": summary(found),
        "cpu_seconds": cpu_seconds(),
    }


def _searched(here: Setting, params: dict[str, Any], payload: Mapping[str, Any], job: Job) -> SearchResult:
    """Search within the budget but for what the comparison is going to need."""
    cpu = float(payload["cpu_seconds"])
    seed = int(payload["search_seed"])
    parts = here.folds(seed)
    return search(
        here.bot.space,
        lambda tried, fold: here.fold_score(tried, parts[fold]),
        budget=Budget(cpu_seconds=(1.0 - COMPARE_SHARE) * cpu, trials=int(payload["trials"])),
        seed=seed,
        folds=len(parts),
        incumbent=params,
        clock=cpu_seconds,
        progress=lambda fraction, message: job.progress(SEARCH_SPAN * fraction, message),
    )


def _measured(
    here: Setting, params: Mapping[str, Any], job: Job, done: float, *, keep: bool = False
) -> dict[str, Json]:
    """Train one side on every comparison fold and on all development rows; score it everywhere."""
    job.progress(done, "comparing on the same folds")
    parts = here.folds(here.seed + COMPARE_SEED, repeats=COMPARE_REPEATS)
    scores = [here.fold_score(params, fold) for fold in parts]
    model = here.fit(params, here.parts)
    if keep:
        here.bot.save(model, str(job.scratch / ARTIFACT))
    told = here.told(model, here.parts)
    rows = contributions(here.bot.metric, told) if len(told.truth) <= MAX_TEST_ROWS else None
    return {
        "params": dict(params),
        "fold_scores": scores,
        "metrics": score_all(here.bot.task, told),
        "contributions": None if rows is None else rows.tolist(),
    }


def summary(found: SearchResult) -> dict[str, Json]:
    """Return a search without the noise: how it ended and its best trials, best first."""
    trials = sorted(found.trials, key=lambda trial: (trial.score is None, -(trial.score or 0.0)))
    return {
        "trials": len(found.trials),
        "stopped_by": found.stopped_by,
        "cpu_seconds": found.cpu_seconds,
        "best_score": found.best_score,
        "states": {state: sum(trial.state == state for trial in found.trials) for state in STATES},
        "shown": [_row(trial) for trial in trials[:SHOWN_TRIALS]],
    }


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
