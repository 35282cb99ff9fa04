"""The command that measures what tracking costs: its ranks, its bars, and what it claims of reliability."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("tracker")


def test_equal_values_share_their_rank(tracker: ModuleType) -> None:
    assert tracker.ranked([3.0, 1.0, 3.0, 2.0]) == [2.5, 0.0, 2.5, 1.0]


def test_ranks_that_run_against_each_other_correlate_by_minus_one(tracker: ModuleType) -> None:
    up = tracker.ranked([1.0, 5.0, 9.0])
    assert tracker.correlation(up, up) == pytest.approx(1.0)
    assert tracker.correlation(up, up[::-1]) == pytest.approx(-1.0)


def test_reliability_ranks_the_next_error_of_series_whose_noise_changes(
    tracker: ModuleType, tmp_path: Path
) -> None:
    made = dict(list(tracker.made_series().items())[:15])
    (tmp_path / "series.json").write_text(json.dumps(made))
    found = tracker.reliability(tmp_path / "series.json")
    assert (found["series"], found["judged forecasts"]) == (15, 15 * 108)
    assert found["rank correlation"] > tracker.RANK_BAR


@pytest.mark.parametrize(
    ("changed", "missed"),
    [({}, False), ({"ratio of writing": 2.1}, True), ({"rank correlation": 0.2}, True),
     ({"statements of a cycle": 21}, True)],
)  # fmt: skip
def test_a_missed_bar_is_said(tracker: ModuleType, changed: dict[str, float], missed: bool) -> None:
    good = {**dict.fromkeys(tracker.BARS, 1.0), "rank correlation": 0.5, "statements of a cycle": 20}
    assert tracker.missed({**good, **changed}) is missed
