"""The job that evaluates what is deployed, inside a run. Called as `function(payload, job)`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from engines.domain.training_bot import Bot
from engines.domain.training_scores import predictions, score, score_all
from engines.domain.training_setting import Setting, setting

ARTIFACT: Final = "model.bin"
CHAMPION: Final = "champion.bin"

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
    Returns `metrics`, `naive`, `data`, `digest`, `params`, `task`, `metric`; a model that was trained here is
    left in scratch as `model.bin`.
    """
    here = setting(payload)
    params = payload.get("params") or here.bot.defaults
    job.progress(0.3, "data loaded")
    model = _champion(here, params, job, kept=bool(payload.get("artifact")))
    told = here.told(model, here.parts)
    return {
        "metrics": score_all(here.bot.task, told),
        "naive": naive(here),
        "data": describe(here.bot),
        "digest": here.bot.digest,
        "params": params,
        "task": here.bot.task,
        "metric": here.bot.metric,
    }


def _champion(here: Setting, params: Mapping[str, Any], job: Job, *, kept: bool) -> Any:
    """Load the deployed model's file, or train the model and leave its file."""
    if kept:
        return here.bot.load(str(job.scratch / CHAMPION))
    model = here.fit(params, here.parts)
    here.bot.save(model, str(job.scratch / ARTIFACT))
    return model


def naive(here: Setting) -> float | None:
    """Return the metric of the best constant answer, learnt from the development rows, on the held-out ones.

    That is what guessing earns: the most frequent class with the classes' shares as probabilities, the median
    for mae, else the mean. None where the metric can't be measured of it.
    """
    learn, told = (here.bot.y[rows] for rows in (here.parts.learn, here.parts.score))
    if here.bot.task == "classification":
        model = DummyClassifier(strategy="prior")
    else:
        model = DummyRegressor(strategy="median" if here.bot.metric == "mae" else "mean")
    model.fit(np.zeros((len(learn), 1)), learn)
    return score(here.bot.metric, predictions(model, np.zeros((len(told), 1)), told, here.bot.task))


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
