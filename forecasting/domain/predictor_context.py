"""What is known beside a history, and how much it moves a forecast: a small ridge regression on what was
missed.

The fields are those that cycles record when they have them: feedback and its tokens, the confidence of the
last forecast, the long-term delta. Most histories have none; then nothing is fitted and nothing moves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from forecasting.domain.forecast import Forecast
from forecasting.domain.forecast_input import Floats, checked

FIELDS: Final = ("gpt_feedback_score", "gpt_feedback_tokens", "long_term_delta", "confidence")
PENALTY: Final = 10.0
LEAST_KNOWN: Final = 40
"""Points with at least one field, below which nothing is fitted."""

LEAST_GAIN: Final = 0.01
"""Share of the absolute error that the fields must save on the newest third to be used."""

FURTHEST: Final = 2.0  # mean steps that the fields may move a path
FIRST: Final = 12

Fields = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class History:
    """Values of a subject, oldest first, and what was known beside each of them when it came."""

    values: Sequence[float]
    fields: Sequence[Fields] = ()

    @classmethod
    def of(cls, given: "History | Sequence[float]") -> "History":
        """Return a history; raises ValueError for what isn't numbers, or fields that don't fit the values."""
        made = given if isinstance(given, History) else cls(given)
        if made.fields and len(made.fields) != len(made.values):
            raise ValueError(f"{len(made.fields)} rows of fields for {len(made.values)} values")
        for start in range(0, len(made.values), 200):
            checked(made.values[start : start + 200])
        return made

    def newest(self, count: int) -> "History":
        """Return the newest points."""
        return History(self.values[-count:], self.fields[-count:])

    def upto(self, count: int) -> "History":
        """Return the first `count` points."""
        return History(self.values[:count], self.fields[:count])


Histories = Mapping[str, History | Sequence[float]]


@dataclass(frozen=True, slots=True)
class Context:
    """Weights of the fields, in mean steps a standard deviation of each."""

    names: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    gain: float
    """Share of the absolute error saved on points that were not fitted."""

    def shift(self, fields: Fields) -> float:
        """Return by how many mean steps these fields move a path; what is missing moves nothing."""
        moved = sum(
            weight * min(max((float(value) - centre) / spread, -3.0), 3.0)
            for name, centre, spread, weight in zip(
                self.names, self.centre, self.spread, self.weights, strict=True
            )
            if (value := fields.get(name)) is not None and np.isfinite(value)
        )
        return float(min(max(moved, -FURTHEST), FURTHEST))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read `to_dict`; raises ValueError for anything else."""
        try:
            names = tuple(str(name) for name in given["names"])
            centre, spread, weights = (
                tuple(map(float, given[key])) for key in ("centre", "spread", "weights")
            )
            found = cls(names, centre, spread, weights, float(given["gain"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no weights of fields: {error}") from None
        if not len(names) == len(centre) == len(spread) == len(weights) or min(spread, default=1.0) <= 0:
            raise ValueError("no weights of fields: lengths differ")
        return found


def adjusted(forecast: Forecast, shift: float) -> Forecast:
    """Return the forecast with path and intervals moved by `shift`."""
    names = ("mean", "lower80", "upper80", "lower95", "upper95")
    moved: dict[str, Any] = {
        name: tuple(value + shift for value in getattr(forecast, name)) for name in names
    }
    return replace(forecast, **moved) if shift else forecast


def fit_context(histories: Sequence[History], centre: Callable[[Floats], Floats]) -> Context | None:
    """Return weights of the fields, or None where they are too few or don't help on the newest third of
    points.

    `centre` returns the median path after some values. The fields at an origin are those of its last value.
    """
    inputs, missed = _missed(histories, centre)
    known = np.isfinite(inputs).any(axis=1) if len(inputs) else np.zeros(0, bool)
    if known.sum() < LEAST_KNOWN:
        return None
    used = [place for place in range(len(FIELDS)) if np.nanstd(_column(inputs, place)) > 0]
    inputs, missed = inputs[known][:, used], missed[known]
    cut = len(missed) * 2 // 3
    early, names = _ridge(inputs[:cut], missed[:cut]), tuple(FIELDS[place] for place in used)
    trial = Context(names, *early, 0.0)
    left = np.array([trial.shift(dict(zip(names, row, strict=True))) for row in inputs[cut:]])
    plain = float(np.abs(missed[cut:]).mean())
    gain = 1 - float(np.abs(missed[cut:] - left).mean()) / plain if plain else 0.0
    return Context(names, *_ridge(inputs, missed), gain) if gain >= LEAST_GAIN else None


def _column(inputs: Floats, place: int) -> Floats:
    found = inputs[:, place][np.isfinite(inputs[:, place])]
    return found if len(found) else np.zeros(1)


def _missed(histories: Sequence[History], centre: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Return fields [points, FIELDS] and what the median missed one step ahead, in mean steps, by age."""
    found = []
    for history in histories:
        values = np.asarray(history.values, float)
        for origin in range(FIRST, len(values) if history.fields else 0):
            unit = checked(values[:origin]).unit
            fields = [history.fields[origin - 1].get(name) for name in FIELDS]
            if unit and any(each is not None for each in fields):
                row = [np.nan if each is None else float(each) for each in fields]
                found.append(
                    (len(values) - origin, row, (values[origin] - centre(values[:origin])[0]) / unit)
                )
    found.sort(key=lambda each: -each[0])
    return np.array([row for _, row, _ in found], float), np.array([missed for _, _, missed in found], float)


def _ridge(inputs: Floats, missed: Floats) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return centre, spread and weights; what is missing counts as its mean."""
    centre = np.array([_column(inputs, place).mean() for place in range(inputs.shape[1])])
    spread = np.array([_column(inputs, place).std() or 1.0 for place in range(inputs.shape[1])])
    scaled = np.nan_to_num((inputs - centre) / spread).clip(-3, 3)
    cut = np.clip(missed, -5, 5)
    weights = np.linalg.solve(scaled.T @ scaled + PENALTY * np.eye(scaled.shape[1]), scaled.T @ cut)
    return tuple(centre.tolist()), tuple(spread.tolist()), tuple(weights.tolist())
