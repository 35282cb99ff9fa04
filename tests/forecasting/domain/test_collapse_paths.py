"""Courses, the library of them, and what averaging over it finds."""

import numpy as np
import pytest

from forecasting.domain.collapse_labels import HORIZON, LABELS, reference_length
from forecasting.domain.collapse_paths import NAMES, PRIOR, library, trajectories
from forecasting.domain.collapse_posterior import posterior, running_median
from forecasting.domain.collapse_simulate import donor_residuals, subjects, true_label

LENGTH = 20
EACH = np.full(len(NAMES), 6, dtype=np.int64)


def of(family: str) -> np.ndarray:
    paths, families = trajectories(LENGTH, EACH, np.random.default_rng(1))
    found: np.ndarray = paths[families == NAMES.index(family)]
    return found


def test_every_family_does_what_its_name_says() -> None:
    assert np.all(of("level") == 1)
    assert np.all(np.diff(of("growth"), axis=1) > 0)
    assert np.all(np.diff(of("plateau"), axis=1) > 0)
    assert np.all(np.ptp(of("wave"), axis=1) <= 0.4)
    assert np.all(of("step up")[:, -1] >= 1.1)
    assert np.all((of("passing dip").min(axis=1) <= 0.7) & (of("passing dip")[:, -9:].min(axis=1) == 1))
    for falling in ("linear decline", "exponential decline", "step down and decline", "erosion"):
        assert np.all(np.diff(of(falling), axis=1) <= 0)
        assert np.all(of(falling)[:, -1] < 1)
    assert np.all(of("drop")[:, LENGTH - 1] <= 0.4)
    assert np.all(of("steep decline")[:, -1] <= of("steep decline")[:, LENGTH] - 4 * 0.06 + 1e-9)
    assert np.all(np.diff(of("accelerating decline"), 2, axis=1) <= 1e-9)
    assert np.all(of("small step down").min(axis=1) >= 0.88)


@pytest.mark.parametrize("length", [3, 8, 10, 37, 60])
def test_the_library_knows_what_follows_from_its_courses(length: int) -> None:
    lib = library(length)
    assert lib.past.shape == (length, len(lib.family))
    assert lib.future.shape == (HORIZON, len(lib.family))
    assert np.exp(lib.log_prior).sum() == pytest.approx(PRIOR.sum())
    for i in range(0, len(lib.family), 23):
        course = np.concatenate([lib.past[:, i], lib.future[:, i] * lib.reference[i]])
        label = true_label(course, length, float(lib.reference[i]), 0.001)
        assert (label == LABELS[3]) == lib.collapsing[i]
        assert (label == LABELS[1]) == lib.decaying[i]
        assert lib.past[: reference_length(length), i].mean() == pytest.approx(lib.reference[i])


def test_the_library_is_the_same_every_time() -> None:
    first = library(12).past.copy()
    library.cache_clear()
    assert np.array_equal(library(12).past, first)


def test_noise_from_which_a_course_is_volatile_lies_on_the_border() -> None:
    lib = library(LENGTH)
    level = int(np.flatnonzero(lib.family == 0)[0])
    assert lib.wild_from[level] == pytest.approx(0.444, abs=0.002)
    for noise, label in ((0.43, LABELS[0]), (0.46, LABELS[2])):
        assert true_label(np.ones(LENGTH + HORIZON), LENGTH, 1.0, noise) == label


def seen(family: str, noise: float = 0.03) -> np.ndarray:
    rng = np.random.default_rng(5)
    return of(family)[2, :LENGTH] + rng.normal(0, noise, LENGTH)


@pytest.mark.parametrize(
    ("family", "label"), [("level", 0), ("growth", 0), ("passing dip", 0), ("drop", 3), ("step up", 0)]
)
def test_averaging_finds_the_family_and_the_label(family: str, label: int) -> None:
    for found in posterior(seen(family) * 40, np.zeros(LENGTH)):
        assert found.labels.argmax() == label
        assert found.labels.sum() == pytest.approx(1)
        assert found.families.sum() == pytest.approx(1)
        assert found.families[NAMES.index(family)] > 0.2
        assert 0 < found.noise < 0.1


def test_averaging_knows_no_unit() -> None:
    values, entropy = seen("erosion"), np.linspace(0.1, 0.3, LENGTH)
    plain, large = (posterior(values * unit, entropy)[1] for unit in (1.0, 4096.0))
    assert np.allclose(plain.labels, large.labels, rtol=0, atol=1e-12)
    assert large.reference == pytest.approx(4096 * plain.reference)


def test_much_noise_is_found_volatile() -> None:
    values = 1 + 0.65 * np.random.default_rng(5).standard_normal(60)
    found = posterior(values, np.zeros(60))[1]
    assert found.labels.argmax() == 2
    assert 0.4 < found.noise < 1.0


def test_answers_to_entropy_are_found_and_their_size() -> None:
    entropy = np.full(LENGTH, 0.1)
    for cycle in (9, 13, 17):
        entropy[cycle:] += 0.04
    rises = np.diff(entropy, prepend=0.1)
    hit, calm = (posterior(seen("level") - k * rises, entropy)[1] for k in (9.0, 0.3))
    assert hit.brittle > 0.95
    assert calm.brittle < 0.05
    assert hit.elasticity == pytest.approx(9, abs=1.5)
    assert hit.labels.argmax() == calm.labels.argmax() == 0


def test_one_outlier_changes_nothing_but_a_last_low_value_does() -> None:
    values = seen("level")
    values[9] = -1.0
    assert posterior(values, np.zeros(LENGTH))[1].labels[0] > 0.7
    values[[9, LENGTH - 2, LENGTH - 1]] = (1.0, 0.2, 0.2)
    assert posterior(values, np.zeros(LENGTH))[1].labels[3] > 0.9


def test_running_medians_of_a_step_keep_the_step() -> None:
    assert running_median(np.array([1.0, 1, 1, 9, 1, 1, 5, 5, 5])).tolist() == [1, 1, 1, 1, 1, 5, 5, 5, 5]


def test_simulated_subjects_are_what_their_truth_says() -> None:
    drawn = subjects(120, 4)
    assert {each.label for each in drawn} == set(LABELS)
    for each in drawn:
        n = len(each.roi)
        assert len(each.entropy) == n
        assert 10 <= n <= 60
        assert len(each.latent) == n + HORIZON
        low = np.flatnonzero(each.latent <= each.latent[: reference_length(n)].mean() / 2)
        assert each.collapses_at == (int(low[0]) if len(low) else None)
    assert [each.label for each in subjects(20, 4)] == [each.label for each in drawn[:20]]


def test_noise_is_borrowed_from_donors() -> None:
    rng = np.random.default_rng(0)
    donors = donor_residuals([np.arange(80.0) + rng.normal(0, 3, 80), np.ones(50), np.arange(10.0)])
    assert len(donors) == 1
    assert np.median(np.abs(donors[0])) == pytest.approx(0.67, abs=0.1)
    assert len(subjects(5, 1, donors)) == 5
