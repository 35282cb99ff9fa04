"""Fields beside a history: used where they help on points that were not fitted, absent otherwise."""

from typing import Any

import numpy as np
import pytest

from forecasting.domain.forecast import answer
from forecasting.domain.predictor import AdaptiveROIPredictor
from forecasting.domain.predictor_context import FURTHEST, Context, History, adjusted, fit_context

CONTEXT = Context(("gpt_feedback_tokens",), (10.0,), (2.0,), (0.5,), 0.1)


def last(values: Any) -> Any:
    return np.full(5, values[-1])


def told(seed: int, points: int = 60, honest: float = 1.0) -> History:
    """Values whose next step is announced by a field, as far as it is honest."""
    random = np.random.default_rng(seed)
    announced = random.normal(0, 1, points)
    steps = honest * np.concatenate([[0.0], announced[:-1]]) + 0.3 * random.normal(0, 1, points)
    fields = [{"gpt_feedback_score": float(value), "confidence": None} for value in announced]
    return History(np.cumsum(steps).tolist(), fields)


def test_a_field_that_announces_the_next_step_is_used() -> None:
    found = fit_context([told(1), told(2)], last)
    assert found is not None
    assert found.names == ("gpt_feedback_score",)
    assert found.weights[0] > 0.5
    assert found.gain > 0.3


def test_a_field_that_says_nothing_is_not_used() -> None:
    assert fit_context([told(1, honest=0.0), told(2, honest=0.0)], last) is None


def test_histories_without_fields_fit_nothing() -> None:
    assert fit_context([History(told(1).values)], last) is None
    assert fit_context([told(1, points=30)], last) is None
    assert fit_context([], last) is None


def test_what_is_missing_moves_nothing() -> None:
    assert CONTEXT.shift({}) == 0.0
    assert CONTEXT.shift({"gpt_feedback_tokens": None, "other": 5.0}) == 0.0
    assert CONTEXT.shift({"gpt_feedback_tokens": float("nan")}) == 0.0


def test_a_shift_has_bounds() -> None:
    assert CONTEXT.shift({"gpt_feedback_tokens": 14.0}) == pytest.approx(1.0)
    assert CONTEXT.shift({"gpt_feedback_tokens": 1e9}) == pytest.approx(1.5)
    heavy = Context(CONTEXT.names, (0.0,), (1.0,), (50.0,), 0.1)
    assert heavy.shift({"gpt_feedback_tokens": 1e9}) == FURTHEST


def test_path_and_intervals_move_together() -> None:
    plain = answer(told(1).values, 3)
    moved = adjusted(plain, 2.0)
    for name in ("mean", "lower80", "upper80", "lower95", "upper95"):
        assert np.allclose(np.subtract(getattr(moved, name), getattr(plain, name)), 2.0)
    assert (moved.model, moved.growth) == (plain.model, plain.growth)
    assert adjusted(plain, 0.0) is plain


def test_a_predictor_moves_by_the_fields_in_steps_of_the_series() -> None:
    values = [value * 1000 for value in told(1).values]
    found = AdaptiveROIPredictor(context=CONTEXT)
    plain, moved = found.predict(values, 2), found.predict(values, 2, (), {"gpt_feedback_tokens": 14.0})
    unit = np.abs(np.diff(values)).mean()
    assert moved.mean[0] - plain.mean[0] == pytest.approx(unit)


def test_weights_are_kept_as_json() -> None:
    assert Context.from_dict(CONTEXT.to_dict()) == CONTEXT


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"names": ["a"]},
        {**CONTEXT.to_dict(), "weights": []},
        {**CONTEXT.to_dict(), "spread": [0.0]},
        {**CONTEXT.to_dict(), "centre": ["x"]},
    ],
)
def test_other_json_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no weights of fields"):
        Context.from_dict(given)
