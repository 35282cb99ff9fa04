"""The script that remakes the model of verdicts on collapse: its choices are what it says."""

import gzip
import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from forecasting.domain.collapse_model import Chances, Rule, loads, shipped
from forecasting.domain.collapse_scores import score
from forecasting.domain.collapse_simulate import subjects
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


Checks = list[tuple[fit_collapse.Labelled, Chances]]


@pytest.fixture(scope="module")
def checks() -> Checks:
    """A few subjects with the shipped model's chances."""
    sample = fit_collapse.drawn(90, [5], [])
    return [(sample, shipped().chances(sample.inputs))]


@pytest.fixture(scope="module")
def replay() -> tuple[fit_collapse.Replay, Chances]:
    """A few subjects cycle by cycle."""
    sample = fit_collapse.Replay(subjects(12, [6]))
    return sample, shipped().chances(sample.inputs)


def test_a_donor_lends_its_noise_four_ways() -> None:
    found = fit_collapse.turned([np.array([1.0, 2.0])])
    assert [each.tolist() for each in found] == [[1, 2], [-1, -2], [2, 1], [-2, -1]]


def test_half_of_the_subjects_have_noise_of_the_donors() -> None:
    donors = [np.full(70, 1000.0)]
    sample = fit_collapse.drawn(20, [5], donors)
    assert len(sample.labels) == len(sample.brittle) == len(sample.inputs) == len(sample.lengths)
    assert sample.kept.sum() == len(sample.inputs)
    plain = fit_collapse.drawn(20, [5], [])
    assert np.array_equal(plain.inputs[:8], sample.inputs[:8])


def test_the_chosen_rule_is_farthest_from_the_bars_less_what_its_warnings_lack(
    checks: Checks, replay: tuple[fit_collapse.Replay, Chances], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = {"block": (0.9, 1.2, 3.0), "immediate": (0.7, 1.3)}
    monkeypatch.setattr(fit_collapse, "RULES", tried)

    def worth(rule: Rule) -> float:
        return fit_collapse.margin(rule, checks) - fit_collapse.lacking(rule, *replay) / 2

    others = [Rule(block=block, immediate=immediate) for block, immediate in product(*tried.values())]
    assert worth(fit_collapse.tuned(checks, *replay)) == max(map(worth, others))


def test_a_rule_that_always_warns_lacks_nothing_but_silence(
    replay: tuple[fit_collapse.Replay, Chances],
) -> None:
    always, never = Rule(block=-1.0, immediate=99.0, brittle=2.0), Rule(block=1e9, brittle=2.0)
    found = replay[0].warnings(always, replay[1])
    assert (found["online_false_per_100"], found["online_caught"]) == (100, 1)
    assert fit_collapse.lacking(always, *replay) == pytest.approx(99 / 0.15)
    assert fit_collapse.lacking(never, *replay) >= 0.5 / 0.03


def test_thresholds_rise_with_what_may_be_missed(checks: Checks) -> None:
    for scores in (fit_collapse.risk_scores, fit_collapse.beside_the_label):
        found = fit_collapse.thresholds(shipped().rule, checks, scores)
        assert list(found.values()) == sorted(found.values())
        assert all(0 <= limit < 1 for limit in found.values())
        assert found["0.05"] > 0


def test_the_distance_to_the_bars_counts_in_sampling_errors(checks: Checks) -> None:
    ((sample, chances),) = checks
    found = score(sample.labels, sample.brittle, *sample.decide(shipped().rule, chances))
    least = min((found[name] - bar) / error for name, (bar, error) in fit_collapse.SIMULATED.items())
    assert fit_collapse.margin(shipped().rule, checks) == pytest.approx(least)


def test_the_command_makes_the_same_file_twice(
    series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fit_collapse, "ROUNDS", {"labels": 2, "brittle": 2})
    monkeypatch.setattr(fit_collapse, "RULES", {"block": (0.8, 1.2)})
    made = []
    for name in ("a.npz", "b.npz"):
        given = ["--series", str(series), "--part", "1:80", "2:40", "--checks", "24", "--out"]
        assert fit_collapse.main([*given, str(tmp_path / name)]) == 0
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    model = loads(made[0])
    assert model.card["residual_donors"] == {"training": 6, "checking": 2}
    assert (model.card["subjects"], model.card["parts"]) == (120, {"1": 80, "2": 40})
    assert model.rule.block in (0.8, 1.2)
    assert hashlib.sha256(made[0]).hexdigest() in capsys.readouterr().out
