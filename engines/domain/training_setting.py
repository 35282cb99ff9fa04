"""What every training job stands on: the bot, its rows divided once and for all, calm random states."""

import random
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from engines.domain.training_bot import Bot, BotError, load_bot
from engines.domain.training_scores import DIRECTION, Predictions, ScoreError, predictions, score
from engines.domain.training_splits import Fold, folds, hold_out

FOLDS: Final = 5


class Job(Protocol):
    """What the sandbox hands to a job."""

    scratch: Path
    checkout: Path | None

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the job is."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """A bot with its rows divided once and for all."""

    bot: Bot
    parts: Fold
    seed: int
    sign: float

    @property
    def stratify(self) -> bool:
        """Whether classes are spread evenly over the parts."""
        return self.bot.task == "classification"

    def folds(self, seed: int, *, repeats: int = 1) -> list[Fold]:
        """Return folds over the development rows."""
        return folds(self.bot.y, self.parts.learn, FOLDS, seed, stratify=self.stratify, repeats=repeats)

    def fit(self, params: Mapping[str, Any], fold: Fold) -> Any:
        """Train one model; global random states are set from the seed, so the order doesn't matter."""
        calm(self.seed)
        model = self.bot.estimator(dict(params))
        fitted = model.fit(self.bot.x[fold.learn], self.bot.y[fold.learn])
        return model if fitted is None else fitted

    def predict(self, params: Mapping[str, Any], fold: Fold) -> Predictions:
        """Train on one part of a fold and predict the other."""
        return self.told(self.fit(params, fold), fold)

    def told(self, model: Any, fold: Fold) -> Predictions:
        """Let a fitted model predict the scored rows of a fold."""
        return predictions(model, self.bot.x[fold.score], self.bot.y[fold.score], self.bot.task)

    def fold_score(self, params: Mapping[str, Any], fold: Fold) -> float:
        """Return the metric on one fold, more is better."""
        value = score(self.bot.metric, self.predict(params, fold))
        if value is None:
            raise ScoreError(f"metric {self.bot.metric} can't be measured on these predictions")
        return self.sign * value


def calm(seed: int) -> None:
    """Set every random state that a model could draw from, torch's only when the bot uses torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)


def setting(payload: Mapping[str, Any]) -> Setting:
    """Load the bot and divide its rows as the payload says."""
    seed = int(payload["seed"])
    calm(seed)
    bot = load_bot(payload["pipeline"], payload.get("metric"))
    sign = _sign(bot.metric, payload.get("direction"))
    stratify = bot.task == "classification"
    return Setting(bot, hold_out(bot.y, bot.test_fraction, seed, stratify=stratify), seed, sign)


def _sign(metric: str, direction: str | None) -> float:
    """Return 1.0 when more of the metric is better, else -1.0."""
    if metric not in DIRECTION:
        raise BotError(f"metric {metric!r} is not known; known are {', '.join(sorted(DIRECTION))}")
    if direction is not None and direction != DIRECTION[metric]:
        raise BotError(f"the manifest says {metric} is to be {direction}imised, which makes models worse")
    return 1.0 if DIRECTION[metric] == "max" else -1.0


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended children."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
