"""`AdaptiveROIPredictor`: the forecast model, kept up with the recorded history of all subjects.

One subject's history is too short to learn from, so one model serves all. There are a few recipes for it:
the shipped model as it is, its trees with the recorded history in their leaves, lightly or heavily, and,
where there is enough history, trees grown anew from it. `train` makes each of them without the last points
of every subject and scores it there (walk-forward; never shuffled). A recipe is changed only for a better
one; the model is then made anew by the recipe from the whole history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from forecasting.domain import forecast_forest as files
from forecasting.domain import forecast_shipped
from forecasting.domain.drift import Detector
from forecasting.domain.forecast import Forecast, Model, answer, quantiles
from forecasting.domain.forecast_backtest import LEVELS, STEPS, Score, means, score
from forecasting.domain.forecast_fit import Plan, encode, fit
from forecasting.domain.forecast_forest import BadModel, Forest
from forecasting.domain.forecast_input import Floats, checked
from forecasting.domain.forecast_rows import KNOWN, LEAST, Rows, rows_of
from forecasting.domain.forecast_shipped import digest_of
from forecasting.domain.predictor_context import Context, Histories, History, adjusted, fit_context

LEAST_ROWS: Final = 30
"""Fewer training rows than this change nothing: the model stays as it is."""

OWN_TREES_ROWS: Final = 1000
LATEST_POINTS: Final = 400
"""Newest points of each subject that are trained on."""

TESTED: Final = 8
"""Last points' origins of each subject that judge, at most; a quarter of its history at most."""

SHIPPED: Final = "shipped"
OWN_TREES: Final = "own trees"
LEAVES: Final = {"leaves 0.1": 0.1, "leaves 0.5": 0.5}
"""Recipes, and what the recorded history weighs in the leaves over the rows that grew the trees."""

LEAST_BETTER: Final = 0.995
"""CRPS of another recipe over that of the one in use, above which it isn't worth a change."""

MOST_ROWS: Final = 20_000
DRIFT_CYCLES: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Training:
    """What a training came to."""

    changed: bool
    """Whether the predictor now holds another model than before."""

    chosen: str
    """The recipe: `shipped`, `leaves 0.1`, `leaves 0.5` or `own trees`."""

    reason: str
    series: int
    points: int
    rows: int
    backtest: dict[str, dict[str, float | int | None]]
    """Walk-forward means of each recipe: first, mase, crps, inside80, inside95, cases."""


class AdaptiveROIPredictor:
    """Forecasts with a model that is trained on all subjects' histories.

    Without a `forest` it is the shipped model; where that can't be used, answers come from the combination of
    `forecast_local`, and with under 8 points from repeating the last value. Every answer says which.
    """

    def __init__(
        self,
        forest: Forest | None = None,
        name: str = "",
        context: Context | None = None,
        *,
        recipe: str = SHIPPED,
        seed: int = 0,
    ) -> None:
        shipped, label = forecast_shipped.usable()
        self.base = shipped
        self.forest = forest or shipped
        self.name = (name or "global own") if forest is not None else label
        self.context = context
        self.recipe = recipe
        self.seed = seed
        self.problem = ""

    @property
    def model(self) -> Model | None:
        """What answers; None where only the combination can."""
        return None if self.forest is None else Model(self.forest, self.name)

    def predict(
        self,
        history: Iterable[float],
        horizon: int = STEPS,
        errors: Sequence[float] = (),
        features: Mapping[str, float | None] | None = None,
    ) -> Forecast:
        """Return the forecast of the next `horizon` values: path, intervals, growth, confidence, who
        answered.

        `errors` are past scaled errors of the subject (`forecast.answer`). `features` are what is known
        beside the history, such as `gpt_feedback_tokens`; they move the path where training showed that
        they help, and are not needed. Raises ValueError for bad numbers.
        """
        values = list(history)
        found = answer(values, horizon, errors, model=self.model)
        if self.context is None or not features:
            return found
        return adjusted(found, checked(values).unit * self.context.shift(features))

    def quantiles(self, history: Iterable[float], horizon: int, levels: Iterable[float]) -> Floats:
        """Return quantiles [horizon, levels], as `forecast.quantiles` does."""
        return quantiles(history, horizon, levels, model=self.model)

    def train(self, histories: Histories, *, quick: bool = False) -> Training:
        """Learn from recorded histories by subject. A history is a list of numbers or a `History`, oldest
        first.

        `quick`: trees aren't grown anew, which needs scikit-learn and time. Raises ValueError for bad
        numbers.
        """
        known = _usable(histories)
        rows = _rows(known, self.seed)
        counts = (
            len(known),
            sum(len(each.values) for each in known),
            0 if rows is None else len(rows.weights),
        )
        if rows is None or counts[2] < LEAST_ROWS:
            reason = f"{counts[2]} training rows; {LEAST_ROWS} are needed"
            return Training(False, self.recipe, reason, *counts, {})
        scores = self._scores(known, quick=quick)
        backtest = {name: means(found) for name, found in scores.items()}
        chosen, reason = _choice({name: _mean_crps(found) for name, found in scores.items()}, self.recipe)
        changed = chosen != SHIPPED or self.recipe != SHIPPED
        if changed:
            self._take(chosen, rows, known)
        return Training(changed, chosen, reason, *counts, backtest)

    def refresh(self, histories: Histories) -> Training:
        """Put recorded histories into the leaves of the shipped trees: quick, without scikit-learn."""
        return self.train(histories, quick=True)

    def _take(self, recipe: str, rows: Rows, histories: list[History]) -> None:
        """Become the model of this recipe and the whole history."""
        self.forest, self.recipe = self._made(recipe, rows, histories), recipe
        if self.forest is None or recipe == SHIPPED:
            self.name, self.context = forecast_shipped.usable()[1], None
            return
        self.name = f"global {digest_of(files.dump(self.forest))[:12]}"
        self.context = fit_context(histories, self._centre)

    def _scores(self, known: list[History], *, quick: bool) -> dict[str, list[Score]]:
        """Return each recipe's scores on the last points of every history, which none was given."""
        before = [_before_test(history) for history in known]
        rows = _rows(before, self.seed)
        recipes = [SHIPPED, *(LEAVES if self.base is not None and rows is not None else ())]
        if not quick and rows is not None and len(rows.weights) >= OWN_TREES_ROWS:
            recipes.append(OWN_TREES)
        found = {}
        for recipe in recipes:
            forest = self._made(recipe, rows, before)
            found[recipe] = _walk(None if forest is None else Model(forest, recipe, alone=True), known)
        return found

    def _made(self, recipe: str, rows: Rows | None, histories: list[History]) -> Forest | None:
        if recipe == OWN_TREES:
            return fit([np.asarray(each.values) for each in histories], Plan(seed=self.seed))
        if recipe == SHIPPED or self.base is None or rows is None:
            return self.base
        return with_leaves(self.base, rows, LEAVES[recipe])

    def _centre(self, values: Floats) -> Floats:
        """Return the median path in the values' unit."""
        model = None if self.forest is None else Model(self.forest, self.name, alone=True)
        path: Floats = quantiles(values, STEPS, (0.5,), model=model)[:, 0]
        return path

    def needs_retraining(self, errors: Sequence[float]) -> bool:
        """Whether these scaled errors, oldest first, drifted away from what they were: an alarm of the
        detector.

        On steady errors it alarms once in 1000 cycles at most, on average; fewer than 20 errors never do.
        """
        if len(errors) < 20:
            return False
        detector = Detector(1, DRIFT_CYCLES)
        alarms = [detector.update([float(np.log1p(abs(error)))]) is not None for error in errors]
        return any(alarms)

    def dump(self) -> bytes:
        """Return the model as bytes of an `.npz` file. Raises BadModel when there is none."""
        if self.forest is None:
            raise BadModel("there is no model to save: the shipped one can't be read")
        return files.dump(self.forest)

    @classmethod
    def load(
        cls,
        data: bytes,
        *,
        digest: str = "",
        context: Mapping[str, Any] | None = None,
        recipe: str = OWN_TREES,
    ) -> Self:
        """Return a predictor from `dump`'s bytes.

        Raises BadModel when they can't be used, or aren't those of `digest`; ValueError for a bad context.
        """
        forest = forecast_shipped.verified(data, digest) if digest else files.load(data)
        kept = Context.from_dict(context) if context else None
        return cls(forest, f"global {digest_of(data)[:12]}", kept, recipe=recipe)

    @classmethod
    def load_or_shipped(
        cls,
        data: bytes,
        *,
        digest: str = "",
        context: Mapping[str, Any] | None = None,
        recipe: str = OWN_TREES,
    ) -> Self:
        """Return a predictor from bytes, or the shipped one, whose `problem` then says what was wrong."""
        try:
            return cls.load(data, digest=digest, context=context, recipe=recipe)
        except ValueError as error:
            found = cls()
            found.problem = str(error)
            return found


def with_leaves(forest: Forest, rows: Rows, share: float) -> Forest:
    """Return the forest with these rows in its leaves, weighing `share` of what is in them."""
    scaled = rows.weighing(float(forest.weight.sum()) * share)
    return forest.extended(rows.inputs, encode(rows.outcomes, forest.grid), scaled.weights)


def _usable(histories: Histories) -> list[History]:
    """Return the histories that are long enough for a training row and a test, cut to their newest points."""
    made = [History.of(histories[subject]).newest(LATEST_POINTS) for subject in sorted(histories)]
    return [history for history in made if len(history.values) >= LEAST + 2 * KNOWN]


def _tested(history: History) -> int:
    """Return how many of the last points judge."""
    return KNOWN * max(1, min(TESTED, len(history.values) // (4 * KNOWN)))


def _before_test(history: History) -> History:
    return history.upto(len(history.values) - _tested(history))


def _rows(histories: list[History], seed: int) -> Rows | None:
    random = np.random.default_rng(seed)
    most = max(4, min(60, MOST_ROWS // max(len(histories), 1)))
    try:
        return rows_of([np.asarray(each.values) for each in histories], most, random)
    except ValueError:
        return None


def _walk(model: Model | None, histories: list[History]) -> list[Score]:
    """Return the model's scores on the last points of each history, given those before each origin."""
    found = []
    for history in histories:
        values = np.asarray(history.values)
        for origin in range(len(values) - _tested(history), len(values) - KNOWN + 1, KNOWN):
            made = quantiles(values[:origin], KNOWN, LEVELS, model=model)
            found.append(score(made, values[:origin], values[origin : origin + KNOWN]))
    return [each for each in found if each is not None]


def _choice(crps: Mapping[str, float], used: str) -> tuple[str, str]:
    """Return the recipe to use from now on and why: another one has to be clearly better."""
    best = min(crps, key=lambda name: crps[name])
    if used in crps and crps[best] > LEAST_BETTER * crps[used]:
        return used, f"no recipe is better than `{used}` walk-forward"
    return best, f"`{best}` is better walk-forward"


def _mean_crps(scores: list[Score]) -> float:
    return float(np.mean([each.crps for each in scores])) if scores else float("inf")
