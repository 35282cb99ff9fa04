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


def test_the_chosen_rule_is_farthest_from_every_bar(
    checks: Checks, replay: tuple[fit_collapse.Replay, Chances], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = {"block": (0.9, 1.2, 3.0), "warn": (0.5, 1.3)}
    monkeypatch.setattr(fit_collapse, "RULES", tried)
    others = [Rule(block=block, warn=warn) for block, warn in product(*tried.values())]
    chosen = fit_collapse.tuned(checks, *replay)
    assert fit_collapse.margin(chosen, checks, *replay) == max(
        fit_collapse.margin(each, checks, *replay) for each in others
    )


def test_a_rule_that_always_warns_is_wrong_in_every_calm_cycle_and_one_that_never_does_always_late(
    replay: tuple[fit_collapse.Replay, Chances],
) -> None:
    always, never = Rule(block=-1.0, immediate=99.0, brittle=2.0), Rule(block=1e9, brittle=2.0)
    found = replay[0].warnings(always, replay[1])
    assert (found["online_false_per_100"], found["online_caught"]) == (100, 1)
    assert fit_collapse.margin(always, [], *replay) == pytest.approx(-99 / 0.25)
    assert fit_collapse.margin(never, [], *replay) == pytest.approx(-0.5 / 0.05)


def test_thresholds_rise_with_what_may_be_missed(checks: Checks) -> None:
    for scores in (fit_collapse.risk_scores, fit_collapse.beside_the_label):
        found = fit_collapse.thresholds(shipped().rule, [checks], scores)
        assert list(found.values()) == sorted(found.values())
        assert all(0 <= limit < 1 for limit in found.values())
        assert found["0.05"] > 0


def test_a_threshold_keeps_to_its_share_of_either_kind(checks: Checks) -> None:
    """A kind on which hardly anything is missed doesn't pay for another."""
    ((sample, chances),) = checks
    surer = Chances(np.eye(4)[sample.labels], np.zeros(len(sample.labels)))
    rule = shipped().rule
    alone, sure = (
        fit_collapse.thresholds(rule, [[each]], fit_collapse.risk_scores)
        for each in ((sample, chances), (sample, surer))
    )
    kinds = [(sample, surer), (sample, chances)]
    together = fit_collapse.thresholds(rule, [kinds], fit_collapse.risk_scores)
    assert together == alone
    assert set(sure.values()) <= {0.0}, "with certain chances any threshold would do, if there are enough"


def test_the_distance_to_the_bars_counts_in_sampling_errors(
    checks: Checks, replay: tuple[fit_collapse.Replay, Chances]
) -> None:
    ((sample, chances),) = checks
    found = score(sample.labels, sample.brittle, *sample.decide(shipped().rule, chances))
    least = [(found[name] - bar) / error for name, (bar, error) in fit_collapse.SIMULATED.items()]
    assert fit_collapse.margin(shipped().rule, checks, *replay) == pytest.approx(
        min(*least, fit_collapse.margin(shipped().rule, [], *replay))
    )


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
    again = ["--series", str(series), "--checks", "24", "--trees", str(tmp_path / "a.npz"), "--out"]
    assert fit_collapse.main([*again, str(tmp_path / "c.npz")]) == 0
    assert (tmp_path / "c.npz").read_bytes() == made[0], "the rule of the same trees is the same"
