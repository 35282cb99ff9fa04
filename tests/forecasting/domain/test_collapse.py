"""Verdicts on collapse: cases anyone can see, better than other rules, any unit, nothing promoted blindly."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.collapse import predict, predict_batch
from forecasting.domain.collapse_labels import IMMEDIATE, LABELS, SLOW, STABLE, UNKNOWN, VOLATILE
from forecasting.domain.collapse_scores import score
from forecasting.domain.collapse_simulate import Subject, subjects

KEYS = {
    "risk", "brittle", "p_brittle", "p_collapse", "risk_score", "collapse_in", "curve", "probabilities",
    "evidence", "cycles", "reason", "elasticity",
}  # fmt: skip
RNG = np.random.default_rng(11)
CALM = 1 + 0.03 * RNG.standard_normal(60)
AGO = np.arange(60) - 59.0
HISTORIES: dict[str, tuple[np.ndarray, str]] = {
    "level": (CALM, STABLE),
    "growth": (CALM + 0.02 * np.arange(60), STABLE),
    "recovered dip": (CALM - 0.6 * ((AGO > -30) & (AGO < -26)), STABLE),
    "lone outlier": (CALM - 1.5 * (AGO == -20), STABLE),
    "slow decline": (CALM - 0.015 * np.maximum(0, AGO + 20), SLOW),
    "much noise": (1 + 0.65 * RNG.standard_normal(60), VOLATILE),
    "drop two cycles ago": (CALM - 0.8 * (AGO > -2), IMMEDIATE),
    "steep decline": (CALM - 0.15 * np.maximum(0, AGO + 3), IMMEDIATE),
    "accelerating decline": (CALM - 0.02 * np.maximum(0, AGO + 4) ** 2, IMMEDIATE),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_histories_that_anyone_can_read(name: str) -> None:
    values, label = HISTORIES[name]
    verdict = predict(values)
    assert verdict["risk"] == label
    assert verdict["evidence"] == "enough"
    assert set(verdict) == KEYS
    assert sum(verdict["probabilities"].values()) == pytest.approx(1)
    assert verdict["p_collapse"] == verdict["probabilities"][IMMEDIATE]
    assert (verdict["collapse_in"] is not None) == (label == IMMEDIATE)
    assert len(verdict["curve"]) == 5
    assert verdict["reason"].startswith(label)
    assert not verdict["brittle"]
    assert verdict["elasticity"] is None


KNOWN: list[tuple[list[float], list[float] | None, str, bool, int | None]] = [
    ([0.1, 0.2, 0.3], None, STABLE, False, None),
    ([0.5, 0.4, 0.3], None, SLOW, False, None),
    ([0, 2, 0, 2], None, VOLATILE, False, None),
    ([1, 3, 1, 3, 1], None, VOLATILE, False, None),
    ([0.5, 0, -0.5], None, IMMEDIATE, False, 0),
    ([1, 0.8, 0.6, 0.4], None, SLOW, False, 4),
    ([1, 0.2, 0.05], None, IMMEDIATE, False, 1),
    ([1, 1, 0], [0, 0, 0.01], IMMEDIATE, True, 0),
    ([1, 0.9, 0.6], [0.10, 0.10, 0.12], SLOW, True, None),
]


@pytest.mark.parametrize(("roi", "entropy", "label", "brittle", "ends"), KNOWN)
@pytest.mark.parametrize("unit", [1, 1000, 0.001])
def test_short_histories_keep_their_known_verdicts_in_any_unit(
    roi: list[float], entropy: list[float] | None, label: str, brittle: bool, ends: int | None, unit: float
) -> None:
    verdict = predict([unit * each for each in roi], entropy)
    assert (verdict["risk"], verdict["brittle"], verdict["collapse_in"]) == (label, brittle, ends)
    assert verdict["evidence"] == "low"


@pytest.mark.parametrize("roi", [[], [1.0], [1.0, 2.0], [0.0] * 12])
def test_without_evidence_nothing_is_stable(roi: list[float]) -> None:
    verdict = predict(roi)
    assert (verdict["risk"], verdict["evidence"]) == (UNKNOWN, "none")
    assert verdict["p_collapse"] is None
    assert verdict["risk_score"] is None
    assert verdict["probabilities"] == {}
    assert set(verdict) == KEYS


@pytest.mark.parametrize("cycles", [3, 7, 8, 60, 300])
def test_a_constant_loser_is_never_promoted(cycles: int) -> None:
    verdict = predict([-3.0] * cycles)
    assert (verdict["risk"], verdict["p_collapse"], verdict["collapse_in"]) == (IMMEDIATE, 1.0, 0)
    assert verdict["curve"] == [-3.0] * 5
    assert "no gain left to lose" in verdict["reason"]


def test_a_rising_subject_that_still_loses_is_not_stable() -> None:
    assert predict(list(np.linspace(-5, -0.1, 30)))["risk"] == IMMEDIATE
    turned = predict([-1.0] * 20 + [1.0, 1.1, 1.0, 1.05])
    assert (turned["risk"], turned["evidence"], turned["cycles"]) == (STABLE, "low", 4)


def test_eight_cycles_are_enough_and_seven_are_low() -> None:
    values = list(CALM)
    assert [predict(values[:n])["evidence"] for n in (3, 7, 8, 60)] == ["low", "low", "enough", "enough"]


def test_losses_that_follow_entropy_make_brittle_but_no_collapse() -> None:
    entropy = np.full(60, 0.2)
    for cycle in (50, 54, 59):
        entropy[cycle:] += 0.03
    hit = CALM - 10 * np.diff(entropy, prepend=0.2)
    verdict = predict(hit, entropy)
    assert verdict["brittle"]
    assert verdict["risk"] == STABLE
    assert verdict["elasticity"] == pytest.approx(10, abs=2)
    assert "Brittle" in verdict["reason"]
    calm = predict(CALM, entropy)
    assert not calm["brittle"]
    assert calm["elasticity"] < 2


def test_the_worse_of_roi_and_risk_adjusted_roi_stands() -> None:
    falling = CALM - 0.15 * np.maximum(0, AGO + 3)
    assert predict(CALM, raroi=falling)["reason"].startswith("Of the risk-adjusted ROI: Immediate")
    assert predict(falling, raroi=CALM) == predict(falling)
    assert predict(CALM, raroi=CALM) == predict(CALM)
    with pytest.raises(ValueError, match="raroi has 59 values and roi 60"):
        predict(CALM, raroi=CALM[:-1])
    with pytest.raises(ValueError, match=r"raroi\[0\]"):
        predict([1.0], raroi=[math.nan])


def items_of(drawn: list[Subject], unit: float = 1.0) -> list[dict[str, Any]]:
    return [{"roi": each.roi * unit, "entropy": each.entropy} for each in drawn]


@pytest.fixture(scope="module")
def drawn() -> list[Subject]:
    """Fresh subjects: of a seed that no model was fitted on."""
    return subjects(260, 31_007)


@pytest.fixture(scope="module")
def verdicts(drawn: list[Subject]) -> list[dict[str, Any]]:
    """What they get."""
    return predict_batch(items_of(drawn))


def test_one_by_one_and_in_a_batch_are_the_same(drawn: list[Subject], verdicts: list[dict[str, Any]]) -> None:
    for each, verdict in list(zip(drawn, verdicts, strict=True))[:25]:
        assert predict(list(each.roi), list(each.entropy)) == verdict
    assert predict_batch([]) == []


@pytest.mark.parametrize("unit", [1000.0, 0.001])
def test_the_unit_changes_neither_label_nor_probability(
    drawn: list[Subject], verdicts: list[dict[str, Any]], unit: float
) -> None:
    same = (
        "risk",
        "brittle",
        "p_collapse",
        "risk_score",
        "probabilities",
        "collapse_in",
        "evidence",
        "reason",
    )
    for verdict, other in zip(verdicts, predict_batch(items_of(drawn[:60], unit)), strict=False):
        assert {key: verdict[key] for key in same} == {key: other[key] for key in same}
        assert other["curve"] == pytest.approx([unit * each for each in verdict["curve"]])


def scores(drawn: list[Subject], labels: list[str], brittle: list[bool]) -> dict[str, float]:
    return score(
        np.array([LABELS.index(each.label) for each in drawn]),
        np.array([each.brittle for each in drawn]),
        np.array([LABELS.index(each) for each in labels]),
        np.array(brittle),
    )


def slope_and_spread(each: Subject) -> str:
    """The rule of thumb: the slope of ten cycles and their spread, against fixed thresholds."""
    part = each.roi[-10:]
    slope = np.polyfit(np.arange(len(part)), part, 1)[0]
    if np.std(np.diff(part), ddof=1) >= 1.0:
        return VOLATILE
    return STABLE if slope >= 0 else IMMEDIATE if part[-1] + 2 * slope <= 0 else SLOW


def test_verdicts_beat_the_rule_of_thumb_by_far(drawn: list[Subject], verdicts: list[dict[str, Any]]) -> None:
    ours = scores(drawn, [v["risk"] for v in verdicts], [v["brittle"] for v in verdicts])
    theirs = scores(drawn, [slope_and_spread(each) for each in drawn], [False] * len(drawn))
    assert ours["macro_f1"] > theirs["macro_f1"] + 0.2
    assert ours["f1_immediate"] > theirs["f1_immediate"] + 0.2
    assert ours["false_block"] < 0.12
    assert ours["missed_collapse"] < theirs["missed_collapse"] - 0.1
    assert ours["brittle_f1"] > 0.85
    assert ours["gate_accuracy"] > theirs["gate_accuracy"] + 0.1


def test_probabilities_mean_what_they_say(drawn: list[Subject], verdicts: list[dict[str, Any]]) -> None:
    truth = np.array([each.label == IMMEDIATE for each in drawn])
    said = np.array([verdict["p_collapse"] for verdict in verdicts])
    assert said.mean() == pytest.approx(truth.mean(), abs=0.06)
    assert ((said - truth) ** 2).mean() < 0.6 * truth.mean() * (1 - truth.mean())


NUMBERS = st.floats(-1e12, 1e12, allow_nan=False) | st.integers(-5, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, max_size=70), st.data())
def test_any_finite_series_gets_a_verdict_that_json_can_hold(roi: list[float], data: st.DataObject) -> None:
    entropy = data.draw(st.lists(NUMBERS, min_size=len(roi), max_size=len(roi)))
    verdict = predict(roi, entropy)
    assert verdict["risk"] in (*LABELS, UNKNOWN)
    assert (verdict["risk"] == UNKNOWN) == (len(roi) < 3 or not any(roi[-60:]))
    assert verdict["evidence"] == ("none" if verdict["risk"] == UNKNOWN else verdict["evidence"])
    numbers = [*verdict["curve"], *verdict["probabilities"].values(), verdict["p_collapse"] or 0.0]
    assert all(math.isfinite(each) for each in numbers)
    assert 0 <= (verdict["p_collapse"] or 0) <= 1
