"""A module's progress: sums that move on, told twice counts once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.progress import Progress
from forecasting.domain.rankings import KEEP, Limits

Told = list[tuple[int, float]]


def told(runs: Told, start: Progress | None = None) -> Progress:
    """Return the progress after runs of (cycle, ROI), whose entropy is a quarter of the cycle's number."""
    made = start or Progress()
    for order, roi in runs:
        made = made.moved_on(order, roi=roi, synergy=None, entropy=order / 4)
    return made


def test_sums_are_those_of_all_runs_though_only_the_newest_are_kept() -> None:
    made = told([(order, 0.5) for order in range(1, 101)])
    assert (made.samples, made.roi_count, made.roi_total) == (100, 100, 50.0)
    assert made.entropy_changes == 99
    assert made.entropy_change == pytest.approx(99 / 4)
    assert len(made.recent) == KEEP
    assert made.entropy == 25.0


@given(st.lists(st.integers(1, 15), min_size=1, max_size=15, unique=True), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_repeats_and_their_order_change_nothing(orders: list[int], chance: random.Random) -> None:
    runs = [(order, float(order)) for order in sorted(orders)]
    again = [chance.choice(runs) for _ in range(5)]
    mixed = told(again, told(runs))
    assert mixed == told(runs)
    chance.shuffle(runs)
    assert told(runs).roi_total == mixed.roi_total


def test_a_run_told_anew_replaces_what_it_said_before() -> None:
    made = told([(1, 1.0), (2, 9.0), (3, 1.0), (2, 2.0)])
    assert (made.samples, made.roi_total) == (3, 4.0)


def test_an_old_run_told_again_is_known_already() -> None:
    made = told([(order, 1.0) for order in range(1, 60)])
    assert told([(3, 1.0)], made) == made


def test_what_was_not_measured_moves_no_sum() -> None:
    made = Progress().moved_on(1, roi=None, synergy=None, entropy=None)
    made = made.moved_on(2, roi=None, synergy=None, entropy=1.0)
    assert (made.samples, made.roi_count, made.entropy_changes) == (2, 0, 0)
    assert made.judged(Limits(), scale=1.0) is None


def test_a_full_streak_of_nothing_is_complete_and_reopening_asks_for_a_new_one() -> None:
    spent = told([(order, 0.0) for order in range(1, 5)])
    assert spent.judged(Limits(), scale=1.0) is not None
    reopened = spent.reopened()
    assert reopened.judged(Limits(), scale=1.0) is None
    assert reopened.roi_total == spent.roi_total
    assert told([(5, 0.0), (6, 0.0), (7, 0.0)], reopened).judged(Limits(), scale=1.0) is not None
    assert told([(2, 0.0), (3, 0.0), (4, 0.0)], reopened).judged(Limits(), scale=1.0) is None
