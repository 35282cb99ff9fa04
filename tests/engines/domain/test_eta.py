"""How long a cycle will still take."""

import pytest

from engines.domain.eta import about, remaining

USUAL = {"retrain": [60.0, 80.0, 70.0], "measure": [5.0, 5.0, 8.0], "learn": [1.0, 1.0, 1.0]}


def test_it_is_the_rest_of_this_step_and_the_usual_time_of_the_others() -> None:
    found = remaining(USUAL, ["measure", "learn"], "retrain", elapsed=20.0)
    assert found is not None
    assert found.seconds == pytest.approx(50.0 + 5.0 + 1.0)
    assert str(found) == "about 1 min left"


def test_one_hung_run_does_not_spoil_it() -> None:
    usual = {"retrain": [60.0, 61.0, 62.0, 90_000.0, 60.0]}
    found = remaining(usual, [], "retrain", elapsed=0.0)
    assert found is not None
    assert found.seconds == pytest.approx(61.0)


@pytest.mark.parametrize("usual", [{}, {"retrain": [60.0, 61.0]}, {"retrain": [1.0] * 3}])
def test_too_little_history_gives_no_number(usual: dict[str, list[float]]) -> None:
    assert remaining(usual, ["measure"], "retrain", elapsed=0.0) is None


def test_a_step_beyond_its_longest_run_is_said_to_be_late() -> None:
    late = remaining(USUAL, ["learn"], "retrain", elapsed=81.0)
    slow = remaining(USUAL, ["learn"], "retrain", elapsed=79.0)
    assert late is not None
    assert slow is not None
    assert str(late) == "longer than usual"
    assert str(slow) == "under a minute left"


def test_it_never_runs_below_zero() -> None:
    found = remaining({"learn": [1.0, 2.0, 9.0]}, [], "learn", elapsed=8.0)
    assert found is not None
    assert found.seconds == 0.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "under a minute"),
        (49.0, "under a minute"),
        (180.0, "about 3 min"),
        (5_000.0, "about 83 min"),
        (7_200.0, "about 2 h"),
        (86_400.0, "about 1 d"),
    ],
)
def test_it_is_said_as_roughly_as_it_is_known(seconds: float, said: str) -> None:
    assert about(seconds) == said
