"""The shipped model and its knob: what is in the file, and what the threshold promises."""

import io
import json
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.collapse_features import features, lone_dip, plain_features
from forecasting.domain.collapse_labels import LABELS
from forecasting.domain.collapse_model import VERSION, Chances, Model, Rule, dumps, loads, shipped
from forecasting.domain.collapse_policy import (
    P_COLLAPSE_LIMITS,
    THRESHOLDS,
    blocks,
    calibrated_threshold,
    risk_score,
)
from forecasting.domain.collapse_posterior import posterior
from forecasting.domain.collapse_series import read_history
from forecasting.domain.collapse_trees import Trees


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
    assert (again.rule, again.card) == (model.rule, model.card)


def tiny() -> Model:
    """A model of two small trees: its file has a few hundred bytes."""
    labels = Trees(np.zeros((4, 1), dtype=int), np.ones((4, 1)), np.arange(8.0).reshape(4, 2), np.zeros(4))
    brittle = Trees(np.zeros((1, 1), dtype=int), np.ones((1, 1)), np.ones((1, 2)), np.zeros(1))
    return Model(labels, brittle, Rule(), {"version": VERSION})


def test_the_same_model_makes_the_same_bytes() -> None:
    assert dumps(tiny()) == dumps(tiny())
    assert dumps(tiny()) != dumps(replace(tiny(), rule=Rule(block=1.1)))


def test_a_file_of_another_kind_or_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"old\.npz .* version 99"):
        loads(dumps(replace(tiny(), card={"version": 99})), "old.npz")
    for content in (b"", b"\x93NUMPY", json.dumps({"a": 1}).encode()):
        with pytest.raises(ValueError, match=r"new\.npz is not a collapse model"):
            loads(content, "new.npz")


def test_trees_of_other_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="1 and 1 outputs"):
        loads(dumps(replace(tiny(), labels=tiny().brittle)))


def test_a_changed_number_is_found_by_the_digest() -> None:
    with np.load(io.BytesIO(dumps(tiny()))) as file:
        arrays = {name: file[name] for name in file.files}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays | {"rule_block": np.array(0.0)})
    with pytest.raises(ValueError, match="digest"):
        loads(stream.getvalue())


WHOLE = dumps(tiny())


def outcome(content: bytes) -> Model | str:
    """Return the model, or the words of the one error that is allowed."""
    try:
        return loads(content, "broken.npz")
    except ValueError as error:
        return str(error)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_broken_bytes_raise_one_kind_of_error_or_change_nothing(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    broken = bytearray(WHOLE)
    if data.draw(st.booleans()):
        del broken[at:]
    else:
        broken[at] ^= data.draw(st.integers(1, 255))
    found = outcome(bytes(broken))
    if isinstance(found, Model):  # the byte says nothing, such as a date
        assert found.rule == tiny().rule
        assert np.array_equal(found.labels.leaf, tiny().labels.leaf)
    else:
        assert found.startswith("broken.npz is not a collapse model")


LABEL_CHANCES = np.array(
    [
        [0.6, 0.1, 0.1, 0.2],  # .5 of .7 is not enough
        [0.45, 0.0, 0.25, 0.3],  # .85 of .45 is
        [0.4, 0.1, 0.35, 0.15],
        [0.2, 0.5, 0.1, 0.2],
    ]
)
LONG = np.full(4, 30)
NONE = np.zeros(4, dtype=bool)


def decided(rule: Rule, chances: np.ndarray = LABEL_CHANCES) -> list[int]:
    """Return the labels of four long histories that aren't brittle and don't end in a dip."""
    return list(map(int, rule.decide(Chances(chances, np.zeros(4)), NONE, LONG)[0]))


def test_dangers_are_weighed_against_what_may_be_promoted() -> None:
    rule = Rule(collapse=2.0, block=1.0)
    assert decided(rule) == [0, 3, 2, 1]
    assert decided(replace(rule, block=0.7)) == [3, 3, 2, 3]
    assert decided(replace(rule, block=0.7, immediate=3.0)) == [3, 3, 3, 3]


def test_a_block_is_called_immediate_only_where_that_is_surer_than_stable() -> None:
    rule = Rule(collapse=2.0, block=0.7)
    assert decided(replace(rule, warn=0.5)) == [2, 3, 2, 3]
    assert decided(replace(rule, warn=0.7)) == [2, 2, 2, 3]
    assert decided(replace(rule, warn=9.0)) == [2, 2, 2, 2], "what is blocked stays so"
    assert decided(replace(rule, block=9.0, warn=0.0)) == [0, 0, 0, 1], "what isn't blocked is no warning"


def test_slow_decay_speaks_for_a_warning_and_not_against_it() -> None:
    falling, level = [0.1, 0.5, 0.0, 0.4], [0.5, 0.1, 0.0, 0.4]
    rule = Rule(collapse=4.0, block=1.0, warn=1.0)
    assert decided(rule, np.array([falling, level] * 2)) == [3, 2, 3, 2]


def test_a_brittle_subject_keeps_its_likeliest_label() -> None:
    chances = Chances(np.array([[0.6, 0.0, 0.1, 0.3]] * 3), np.array([0.9, 0.4, 0.0]))
    labels, brittle = Rule(brittle=0.5, block=1.0).decide(chances, NONE[:3], LONG[:3])
    assert labels.tolist() == [0, 3, 0]
    assert brittle.tolist() == [True, False, False]
    assert not Rule().decide(Chances(LABEL_CHANCES, np.zeros(4)), NONE, LONG)[1].any()


def test_lone_dips_and_short_histories_need_more_to_be_warned_of() -> None:
    chances = Chances(np.array([[0.4, 0.05, 0.0, 0.55]] * 4), np.zeros(4))
    rule = Rule(block=1.0, warn=1.0, dip=1.4, short=1.3)
    dips, lengths = np.array([False, True, False, True]), np.array([30, 30, 11, 11])
    assert rule.decide(chances, dips, lengths)[0].tolist() == [3, 2, 3, 2]
    assert rule.decide(chances, dips[[0, 0, 2, 2]], lengths)[0].tolist() == [3, 3, 3, 3]
    short = replace(rule, short=1.4)
    assert short.decide(chances, NONE, np.array([11, 12, 8, 60]))[0].tolist() == [2, 3, 2, 3]


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
