"""The script that remakes the model of verdicts on collapse: its choices are what it says."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecasting.domain.collapse_model import Chances, shipped
from forecasting.domain.collapse_scores import score
from scripts import fit_collapse


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Eight series, of which every fourth is kept for checking, and one too short to lend noise."""
    rng = np.random.default_rng(0)
    values = {f"s{i}": (5 + rng.normal(0, 1, 70)).tolist() for i in range(8)} | {"t": [1.0, 2.0]}
    path = tmp_path / "series.json.gz"
    path.write_bytes(gzip.compress(json.dumps(values).encode()))
    return path


def test_donors_are_split_and_their_file_is_named(series: Path) -> None:
    train, check, digest = fit_collapse.donors_of(series)
    assert (len(train), len(check)) == (6, 2)
    assert digest == hashlib.sha256(series.read_bytes()).hexdigest()
    assert fit_collapse.donors_of(None) == ([], [], "")


@pytest.fixture(scope="module")
def checks() -> list[tuple[fit_collapse.Sample, Chances]]:
    """A few subjects with the shipped model's chances."""
    sample = fit_collapse.drawn(90, [5], [])
    return [(sample, shipped().chances(sample.inputs))]


def test_the_chosen_weights_are_nowhere_nearer_to_a_bar(
    checks: list[tuple[fit_collapse.Sample, Chances]],
) -> None:
    even = replace(shipped(), label_weights=np.array([1.0, 1.1, 0.8, 1.1]), brittle_from=0.5)
    chosen = fit_collapse.tuned(even, checks)
    assert fit_collapse.margin(chosen, checks) >= fit_collapse.margin(even, checks)


def test_thresholds_rise_with_what_may_be_missed(checks: list[tuple[fit_collapse.Sample, Chances]]) -> None:
    for scores in (fit_collapse.risk_scores, fit_collapse.beside_the_label):
        found = fit_collapse.thresholds(shipped(), checks, scores)
        assert list(found.values()) == sorted(found.values())
    assert 0 < found["0.1"] < 1


def test_the_distance_to_the_bars_counts_in_sampling_errors(
    checks: list[tuple[fit_collapse.Sample, Chances]],
) -> None:
    ((sample, chances),) = checks
    found = score(sample.labels, sample.brittle, *shipped().decide(chances, sample.dips))
    least = min((found[name] - bar) / error for name, (bar, error) in fit_collapse.SIMULATED.items())
    assert fit_collapse.margin(shipped(), checks) == pytest.approx(least)
