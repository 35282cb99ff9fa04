"""How good forecasts were: errors, classes, calibration, and the same for each workflow."""

import math
import random
from statistics import NormalDist, pvariance
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.accuracy import (
    Outcome,
    came_as,
    class_accuracy,
    class_counts,
    confusion_matrix,
    coverage,
    mean_absolute_error,
    prediction_panel,
    rolling_means,
    rolling_variances,
    share_interval,
    workflow_figures,
)

CLASSES = ("exponential", "linear", "marginal")
NUMBERS = st.floats(-1e6, 1e6)
OUTCOMES = st.lists(
    st.builds(
        Outcome,
        predicted=NUMBERS,
        actual=NUMBERS,
        predicted_class=st.sampled_from(("", *CLASSES)),
        actual_class=st.sampled_from(("", *CLASSES)),
        workflow=st.sampled_from(("score", "clean")),
        error=st.none() | st.floats(0, 10),
    ),
    max_size=30,
)


def told(*pairs: tuple[str, str]) -> list[Outcome]:
    return [Outcome(0.0, 0.0, predicted_class=said, actual_class=came) for said, came in pairs]


class TestErrors:
    """In the unit of the numbers, over all and rolling."""

    def test_the_mean_is_of_absolute_errors(self) -> None:
        assert mean_absolute_error([Outcome(1.0, 2.0), Outcome(1.0, 0.0)]) == 1.0

    def test_without_outcomes_nothing_is_claimed(self) -> None:
        assert mean_absolute_error([]) is None

    def test_a_rolling_mean_forgets_what_left_its_window(self) -> None:
        assert rolling_means([4.0, 2.0, 0.0], window=2) == [4.0, 3.0, 1.0]

    def test_one_huge_error_leaves_no_rounding_behind(self) -> None:
        assert rolling_means([1e16, 1.0, 1.0], window=2)[-1] == 1.0

    def test_a_window_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="window"):
            rolling_means([1.0], window=0)

    @given(st.lists(NUMBERS, min_size=1, max_size=12), st.integers(1, 5))
    @settings(max_examples=30)
    def test_each_rolling_variance_is_that_of_its_window(self, values: list[float], window: int) -> None:
        found = rolling_variances(values, window)
        for end in range(1, len(values) + 1):
            expected = pvariance(values[max(0, end - window) : end])
            assert math.isclose(found[end - 1], expected, rel_tol=1e-9, abs_tol=1e-3)


class TestClasses:
    """Counts and the matrix speak of the same outcomes."""

    def test_the_matrix_is_read_actual_first(self) -> None:
        matrix = confusion_matrix(told(("linear", "marginal"), ("linear", "linear")))
        assert matrix == {
            "linear": {"linear": 1, "marginal": 0},
            "marginal": {"linear": 1, "marginal": 0},
        }

    def test_accuracy_is_of_those_that_have_both_classes(self) -> None:
        assert class_accuracy(told(("linear", "linear"), ("linear", ""), ("linear", "marginal"))) == 0.5

    def test_without_a_class_accuracy_is_not_known(self) -> None:
        assert class_accuracy(told(("linear", ""))) is None
        assert confusion_matrix([]) == {}

    @given(OUTCOMES)
    @settings(max_examples=30)
    def test_the_matrix_sums_to_the_counts(self, outcomes: list[Outcome]) -> None:
        matrix, counts = confusion_matrix(outcomes), class_counts(outcomes)
        assert {name: sum(row.values()) for name, row in matrix.items()} == counts["actual"]
        columns = {name: sum(row[name] for row in matrix.values()) for name in matrix}
        assert columns == counts["predicted"]


class TestCalibration:
    """A share never stands without its interval."""

    def test_wilsons_interval_has_its_textbook_value(self) -> None:
        low, high = share_interval(81, 263)  # Newcombe 1998, table I
        assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)

    @pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (1, 1)])
    def test_an_interval_stays_a_share(self, hits: int, count: int) -> None:
        low, high = share_interval(hits, count)
        assert 0.0 <= low <= hits / count <= high <= 1.0

    @pytest.mark.parametrize(("hits", "count"), [(-1, 2), (3, 2), (0, 0)])
    def test_impossible_counts_are_refused(self, hits: int, count: int) -> None:
        with pytest.raises(ValueError, match="of"):
            share_interval(hits, count)

    def test_bands_of_the_right_width_hold(self) -> None:
        rows = self.normal(1.0)
        assert [row["verdict"] for row in coverage(rows)] == ["holds", "holds"]

    @pytest.mark.parametrize(("factor", "verdict"), [(0.5, "too narrow"), (3.0, "too wide")])
    def test_bands_of_the_wrong_width_are_called_so(self, factor: float, verdict: str) -> None:
        assert coverage(self.normal(factor))[0]["verdict"] == verdict

    def test_without_bands_coverage_is_not_measured(self) -> None:
        for row in coverage([Outcome(0.0, 0.0)]):
            assert row["share"] is None
            assert row["verdict"] == "not measured"

    @staticmethod
    def normal(factor: float) -> list[Outcome]:
        draws, normal = random.Random(7), NormalDist()
        halves = [factor * normal.inv_cdf(0.5 + level / 2) for level in (0.80, 0.95)]
        bands = tuple((-half, half) for half in halves)
        return [Outcome(0.0, draws.gauss(0, 1), bands=bands) for _ in range(400)]


class TestWorkflows:
    """Confidence falls with errors and with their spread."""

    def test_the_formula_is_the_documented_one(self) -> None:
        found = workflow_figures([Outcome(1.0, 2.0, workflow="score"), Outcome(1.0, 0.0, workflow="score")])
        score = found["score"]
        assert (score["mae"][-1], score["variance"][-1]) == (1.0, 1.0)
        assert score["confidence"][-1] == pytest.approx(1 / 3)
        assert score["needs_review"]

    def test_a_perfect_workflow_is_trusted(self) -> None:
        (found,) = workflow_figures([Outcome(1.0, 1.0), Outcome(1.0, 1.0)]).values()
        assert found["confidence"] == [1.0, 1.0]
        assert not found["needs_review"]

    def test_errors_without_unit_are_preferred(self) -> None:
        def trust(unit: float) -> list[float]:
            rows = [Outcome(unit * each, 0.0, error=abs(each), workflow="score") for each in (1, -2, 3)]
            found: list[float] = workflow_figures(rows)["score"]["confidence"]
            return found

        assert trust(1.0) == trust(1000.0)

    def test_a_workflow_with_one_unknown_scale_is_measured_in_its_unit(self) -> None:
        (found,) = workflow_figures([Outcome(3.0, 1.0, error=0.1), Outcome(3.0, 1.0)]).values()
        assert not found["scaled"]
        assert found["mae"][-1] == 2.0


class TestPanel:
    """The mapping of the dashboard."""

    def test_the_seeds_keys_are_there(self) -> None:
        stats = prediction_panel([Outcome(1.0, 2.0, "linear", "linear", "score", error=0.5)])
        assert stats["mae"] == 1.0
        assert stats["accuracy"] == 1.0
        assert stats["mae_trend"][-1] == 1.0
        assert stats["class_counts"]["actual"] == {"linear": 1}
        assert stats["confusion_matrix"] == {"linear": {"linear": 1}}
        assert stats["workflow_mae"] == {"score": [0.5]}
        assert stats["workflow_variance"] == {"score": [0.0]}
        assert stats["workflow_confidence"] == {"score": [pytest.approx(1 / 1.5)]}
        assert stats["workflows"]["score"]["needs_review"] is False

    def test_an_empty_tracker_claims_nothing(self) -> None:
        stats = prediction_panel([])
        assert (stats["count"], stats["mae"], stats["accuracy"]) == (0, None, None)
        assert stats["mae_trend"] == []
        assert stats["workflows"] == {}

    @given(OUTCOMES)
    @settings(max_examples=30)
    def test_it_is_plain_and_finite(self, outcomes: list[Outcome]) -> None:
        stats = prediction_panel(outcomes)
        assert len(stats["mae_trend"]) == len(outcomes)
        for value in leaves(stats):
            assert value is None or isinstance(value, str) or math.isfinite(value)


def leaves(data: Any) -> list[Any]:
    """Return every value that is no mapping and no list."""
    if isinstance(data, dict):
        return [leaf for value in data.values() for leaf in leaves(value)]
    return [leaf for value in data for leaf in leaves(value)] if isinstance(data, list) else [data]


class TestCourses:
    """What came is named in the words of forecasts, whatever unit it is in."""

    @pytest.mark.parametrize(
        ("numbers", "scale", "course"),
        [
            ((1.0, 2.0, 3.0, 4.0, 5.0), 0.5, "linear"),
            ((5.0, 4.0, 3.0, 2.0, 1.0), 0.5, "linear"),
            ((1.0, 2.0, 4.0, 8.0, 16.0), 0.5, "exponential"),
            ((1.0, 1.1, 0.9, 1.0, 1.0), 0.5, "marginal"),
            ((1.0, 2.0, 3.0, 4.0, 5.0), 50.0, "marginal"),
            ((-2.0, -1.0, 0.0, 1.0, 2.0), 0.5, "linear"),
            ((1.0, 1.0, 1.0), 0.0, "marginal"),
        ],
    )
    def test_a_course_is_told_by_its_rise_over_the_noise(
        self, numbers: tuple[float, ...], scale: float, course: str
    ) -> None:
        assert came_as(numbers, scale) == course
        assert came_as([1000 * each for each in numbers], 1000 * scale) == course

    @pytest.mark.parametrize(("numbers", "scale"), [((1.0, 2.0), 1.0), ((1.0, 2.0, 3.0), None)])
    def test_without_numbers_or_noise_nothing_is_claimed(
        self, numbers: tuple[float, ...], scale: float | None
    ) -> None:
        assert came_as(numbers, scale) == ""
