"""Proposals of a seeded tree-structured Parzen estimator (Bergstra et al. 2011; Optuna's, multivariate).

Loads Optuna, so only the training process may import this.
"""

import math
import random
import warnings
from collections.abc import Mapping
from typing import Any, Final

import optuna
from optuna import distributions

from engines.domain.search_space import Parameter, Params, Scalar, Space, same

STARTUP: Final = 10
"""Trials before the estimator is asked; until then proposals are random."""
_LOW: Final = 0.25


class Proposals:
    """Asks for configurations and hears what they scored; more is better.

    The first proposals visit every branch of the space once, with whole numbers in the lowest quarter of
    their range: they are what makes a model slow, and the first of its kind has an unknown price.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._study = _study(seed)
        self._asked: optuna.Trial | None = None
        rng = random.Random(seed)  # noqa: S311 - nothing secret
        for branch in space.branches():
            self._study.enqueue_trial(_probe(space, branch, rng))

    def ask(self) -> Params:
        """Return the next configuration; `answer` or `drop` it before asking again."""
        trial = self._asked = self._study.ask()
        return self._space.walk(lambda parameter: suggest(trial, parameter))

    def answer(self, score: float | None) -> None:
        """Tell what the configuration scored; None: it failed."""
        self._close(score)

    def drop(self, *, retry_smaller: bool = False) -> None:
        """Tell that the configuration was not tried; it may come again next with smaller whole numbers."""
        smaller = self._smaller() if retry_smaller else None
        self._close(None)
        if smaller is not None:
            self._study.enqueue_trial(smaller)

    def tell(self, params: Mapping[str, Any], score: float | None) -> None:
        """Tell of a configuration that was not asked for; one outside the space is passed over."""
        keyed = self._space.keyed(params)
        if keyed is None or score is None:
            return
        there = {parameter.key: parameter for parameter in self._space.parameters if parameter.key in keyed}
        laws = {key: _distribution(parameter) for key, parameter in there.items()}
        stored = {key: _stored(parameter, keyed[key]) for key, parameter in there.items()}
        self._study.add_trial(optuna.trial.create_trial(params=stored, distributions=laws, value=score))

    def _smaller(self) -> dict[str, Scalar] | None:
        """Return what was asked for with whole numbers at a quarter of their distance from the lowest."""
        asked = {} if self._asked is None else self._asked.params
        whole = {p.key: int(p.low) for p in self._space.parameters if p.kind == "int" and p.key in asked}
        smaller = {key: low + (asked[key] - low) // 4 for key, low in whole.items()}
        return {**asked, **smaller} if any(smaller[key] < asked[key] for key in smaller) else None

    def _close(self, score: float | None) -> None:
        if self._asked is None:
            raise RuntimeError("nothing was asked")
        if score is None:
            self._study.tell(self._asked, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._asked, score)
        self._asked = None


def suggest(trial: optuna.Trial, parameter: Parameter) -> Scalar:
    """Draw a parameter of a trial."""
    if parameter.kind == "choice":
        # by position: Optuna would take 1 for True
        return parameter.choices[trial.suggest_categorical(parameter.key, range(len(parameter.choices)))]
    if parameter.kind == "int":
        return trial.suggest_int(parameter.key, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.key, parameter.low, parameter.high, log=parameter.log)


def _distribution(parameter: Parameter) -> distributions.BaseDistribution:
    if parameter.kind == "choice":
        return distributions.CategoricalDistribution(range(len(parameter.choices)))
    if parameter.kind == "int":
        return distributions.IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return distributions.FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _stored(parameter: Parameter, value: Scalar) -> Scalar:
    """Return the value as the study keeps it."""
    if parameter.kind == "choice":
        return next(i for i, choice in enumerate(parameter.choices) if same(choice, value))
    return value


def _probe(space: Space, branch: Mapping[str, Scalar], rng: random.Random) -> dict[str, Scalar]:
    """Return a start of a branch: its choices, and whole numbers from the lowest quarter of their range."""
    there = {p.key: p for p in space.parameters}
    chosen = {key: _stored(there[key], value) for key, value in branch.items()}
    small = {
        p.key: _low_value(p, rng.random()) for p in space.parameters if p.kind == "int" and p.low < p.high
    }
    return {**small, **chosen}


def _low_value(parameter: Parameter, position: float) -> int:
    position *= _LOW
    if parameter.log:
        return round(parameter.low * math.exp(math.log(parameter.high / parameter.low) * position))
    return round(parameter.low + (parameter.high - parameter.low) * position)


def _study(seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, multivariate=True, group=True, n_startup_trials=STARTUP
        )
    return optuna.create_study(direction="maximize", sampler=sampler)
