"""The shipped model and its knob: what is in the file, and what the threshold promises."""

import json
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from forecasting.domain.collapse_features import features, lone_dip, plain_features
from forecasting.domain.collapse_labels import LABELS
from forecasting.domain.collapse_model import VERSION, Chances, dumps, loads, shipped
from forecasting.domain.collapse_policy import (
    P_COLLAPSE_LIMITS,
    THRESHOLDS,
    blocks,
    calibrated_threshold,
    risk_score,
)
from forecasting.domain.collapse_posterior import posterior
from forecasting.domain.collapse_series import read_history


def test_the_shipped_file_is_small_holds_no_objects_and_has_its_card() -> None:
    content = resources.files("forecasting.domain").joinpath("collapse_model.npz").read_bytes()
    assert len(content) < 2_000_000
    card = shipped().card
    assert card["version"] == VERSION
    assert card["subjects"] >= 40_000
    assert len(card["series_sha256"]) == 64
    assert card["checked"]["simulated"]["macro_f1"] >= 0.72
    assert {float(key): value for key, value in card["thresholds"].items()} == dict(THRESHOLDS)
    assert {float(key): value for key, value in card["p_collapse_limits"].items()} == dict(P_COLLAPSE_LIMITS)


def test_a_model_is_kept_as_it_is() -> None:
    model = shipped()
    again = loads(dumps(model))
    inputs = np.random.default_rng(0).normal(size=(7, 200))
    assert np.array_equal(again.chances(inputs).labels, model.chances(inputs).labels)
    assert np.array_equal(again.chances(inputs).brittle, model.chances(inputs).brittle)
    assert (again.brittle_from, again.card) == (model.brittle_from, model.card)


def test_a_file_of_another_kind_or_version_is_refused(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="version 99"):
        loads(dumps(replace(shipped(), card={"version": 99})))
    with pytest.raises(ValueError):
        loads(json.dumps({"a": 1}).encode())


def test_weights_decide_between_labels_that_are_near() -> None:
    model = replace(shipped(), label_weights=np.array([1.0, 1.0, 2.0, 1.0]))
    labels = np.array(
        [[0.4, 0.1, 0.25, 0.25], [0.6, 0.1, 0.25, 0.05], [0.4, 0.1, 0.0, 0.5], [0.4, 0.1, 0.0, 0.5]]
    )
    found = model.decide(Chances(labels, np.array([0.1, 0.99, 0.1, 0.1])), [False, False, False, True])
    assert found[0].tolist() == [2, 0, 3, 0]
    assert found[1].tolist() == [False, True, False, False]


def test_a_last_value_that_is_low_alone_is_a_lone_dip() -> None:
    calm = 1 + 0.03 * np.sin(np.arange(20.0))
    for last, expected in (([1.0, 1.0], False), ([1.0, 0.6], True), ([0.6, 0.6], False), ([0.6, 1.0], False)):
        values = np.concatenate([calm, last])
        entropy = np.zeros(len(values))
        assert lone_dip(values, entropy, posterior(values, entropy)[1]) is expected


def test_features_have_no_unit_and_one_length() -> None:
    rng = np.random.default_rng(2)
    sizes = set()
    for n in (8, 9, 12, 30, 60):
        values, entropy = 1 + 0.1 * rng.standard_normal(n), np.cumsum(0.02 * rng.random(n))
        seen = [read_history(unit * values, entropy) for unit in (1.0, 1000.0)]
        plain, large = (
            features(each.values, each.entropy, *posterior(each.values, each.entropy)) for each in seen
        )
        assert np.array_equal(plain, large)
        sizes.add(len(plain))
    assert len(sizes) == 1


def test_plain_features_of_a_line_are_its_slope_and_end() -> None:
    line = 2 - 0.05 * np.arange(20.0)
    found = plain_features(line, line, np.zeros(20), np.zeros(20))
    for ahead in (line[-1] - 0.05 * 5, -0.05):
        assert np.isclose(found, ahead, atol=1e-9).sum() >= 5


def chances(*values: float) -> dict[str, float]:
    return dict(zip(LABELS, values, strict=True))


def test_the_score_weighs_a_collapse_against_what_may_be_promoted() -> None:
    assert risk_score(chances(0.5, 0.3, 0.1, 0.1), 0.0) == pytest.approx(0.1 / 0.9)
    assert risk_score(chances(0.5, 0.3, 0.1, 0.1), 0.5) == pytest.approx(0.1 / 0.5)
    assert risk_score(chances(0, 0, 1, 0), 0.0) == 1.0


def test_the_threshold_keeps_its_promise_on_new_subjects() -> None:
    rng = np.random.default_rng(8)
    shares = []
    for _ in range(200):
        scores, ends = rng.beta(4, 2, 120), rng.beta(4, 2, 400)
        threshold = calibrated_threshold(scores.tolist(), [True] * 120, 0.05)
        shares.append(float((ends < threshold).mean()))
    assert 0.035 < np.mean(shares) < 0.05 + 3 * np.std(shares) / 200**0.5


def test_only_collapses_set_the_threshold() -> None:
    scores = [i / 100 for i in range(100)]
    collapsed = [i >= 50 for i in range(100)]
    assert calibrated_threshold(scores, collapsed, 0.1) == 0.54
    assert calibrated_threshold(scores, collapsed, 0.04) == 0.51
    assert calibrated_threshold(scores, collapsed, 0.01) == 0.0
    assert calibrated_threshold([], [], 0.05) == 0.0


def test_what_no_threshold_can_come_from_is_refused() -> None:
    for allowed in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            calibrated_threshold([0.5], [True], allowed)
    with pytest.raises(ValueError, match="1 scores and 2 ends"):
        calibrated_threshold([0.5], [True, False], 0.1)
    with pytest.raises(ValueError, match="finite"):
        calibrated_threshold([float("nan")], [True], 0.1)


def test_fewer_may_be_missed_the_lower_the_threshold() -> None:
    allowed = sorted(THRESHOLDS)
    assert [THRESHOLDS[each] for each in allowed] == sorted(THRESHOLDS.values())
    assert blocks({"risk_score": 0.5}, 0.5)
    assert not blocks({"risk_score": 0.49}, 0.5)
    assert blocks({"risk_score": None}, 0.9)
