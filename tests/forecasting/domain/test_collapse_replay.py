"""Replays cycle by cycle: who is asked when, and what a warning counts."""

import math

import numpy as np
import pytest

from forecasting.domain.collapse_labels import HORIZON, STABLE
from forecasting.domain.collapse_replay import CALM, DECLINES, FIRST, moments, warnings
from forecasting.domain.collapse_simulate import Subject


def subject(family: str, known: int, collapses_at: int | None, label: str = STABLE) -> Subject:
    values = np.arange(known + HORIZON, dtype=float)
    entropy = np.linspace(0, 1, known)
    return Subject(values[:known], entropy, values[known:], values, label, False, family, collapses_at)


def lengths(item: Subject) -> list[int]:
    return [len(each.roi) for each in moments([item])]


@pytest.mark.parametrize("family", sorted(CALM))
def test_a_calm_subject_is_judged_in_every_cycle_that_is_known(family: str) -> None:
    assert lengths(subject(family, 12, None)) == [8, 9, 10, 11, 12]


@pytest.mark.parametrize("family", sorted(DECLINES))
def test_a_collapse_is_looked_for_around_its_cycle_as_far_as_is_known(family: str) -> None:
    assert lengths(subject(family, 40, 30)) == list(range(20, 35))
    assert lengths(subject(family, 12, 14)) == list(range(FIRST, 18))
    assert lengths(subject(family, 12, 16)) == list(range(FIRST, 12 + HORIZON + 1))


def test_nobody_else_is_replayed() -> None:
    assert moments([subject("level", 12, None, "Volatile"), subject("drop", 12, 10)]) == []
    assert moments([subject("erosion", 12, FIRST), subject("erosion", 30, None)]) == []


def test_what_is_known_is_a_beginning_and_entropy_stays_where_it_was() -> None:
    last = moments([subject("erosion", 12, 16)])[-1]
    assert last.roi.tolist() == list(range(17))
    assert last.entropy[-6:].tolist() == [1.0] * 6
    assert last.collapse == 16


def test_the_first_warning_counts_and_every_false_one() -> None:
    asked = moments([subject("erosion", 40, 30), subject("level", 17, None), subject("erosion", 40, 20)])
    first = [len(each.roi) in (24, 33) and each.subject == 0 for each in asked]
    false = [each.subject == 1 and len(each.roi) >= 13 for each in asked]
    found = warnings(asked, np.array(first) | np.array(false))
    assert found["online_lead"] == 30 - 23
    assert found["online_caught"] == found["online_in_time"] == 0.5
    assert found["online_false_per_100"] == 50.0


def test_a_warning_too_late_is_caught_but_not_in_time() -> None:
    asked = moments([subject("erosion", 40, 30)])
    found = warnings(asked, [len(each.roi) >= 27 for each in asked])
    assert (found["online_lead"], found["online_caught"], found["online_in_time"]) == (4.0, 1.0, 0.0)
    assert math.isnan(found["online_false_per_100"])


def test_of_nothing_nothing_is_known() -> None:
    assert all(math.isnan(each) for each in warnings([], []).values())
