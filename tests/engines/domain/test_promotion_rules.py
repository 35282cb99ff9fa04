"""States, frozen evidence, policy, band and gain of promotions."""

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.promotion import (
    MOVES,
    OPEN,
    PromotionState,
    canonical,
    changes,
    digest,
    may_move,
    plain,
)
from engines.domain.promotion_gain import Pairs, Saving, pairs_test, saving_of, signed_rank_test
from engines.domain.promotion_policy import LIMITS, PromotionPolicy
from engines.domain.promotion_watch import left_band
from forecasting.domain.collapse_policy import P_COLLAPSE_LIMITS

ENDS = ("rejected", "superseded", "stale", "failed", "rolled_back")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_every_state_has_its_moves_and_ends_have_none() -> None:
    assert set(MOVES) == set(PromotionState)
    assert {state for state, targets in MOVES.items() if not targets} == set(ENDS)


def test_only_open_ones_are_approved_and_the_blocked_never() -> None:
    approvable = {state for state in PromotionState if may_move(state, PromotionState.APPROVED)}

    assert approvable == set(OPEN) - {PromotionState.BLOCKED}
    assert [state for state in PromotionState if may_move(state, PromotionState.APPLIED)] == ["applying"]
    assert [s for s in PromotionState if may_move(s, PromotionState.ROLLED_BACK)] == ["applied"]


@settings(max_examples=50, deadline=None)
@given(values)
def test_frozen_evidence_survives_a_trip_through_json(value: Any) -> None:
    text = canonical(value)

    assert canonical(json.loads(text)) == text
    assert digest(json.loads(text)) == digest(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [(1.0, 1), (-0.0, 0), (math.nan, None), (math.inf, None), (0.5, 0.5), ("a\0b", "ab"), ((1, 2), [1, 2])],
)
def test_what_the_database_cannot_keep_is_made_plain(value: Any, kept: Any) -> None:
    assert plain(value) == kept


def test_changes_name_each_place() -> None:
    before, after = {"a": {"b": 1, "c": 2}, "d": None}, {"a": {"b": 1, "c": 3}, "e": 1}

    assert [(each["path"], each["before"], each["after"]) for each in changes(before, after)] == [
        ("a.c", 2, 3),
        ("e", None, 1),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "yolo"},
        {"tau": 1.1},
        {"tau": True},
        {"tau": "0.5"},
        {"tau": math.nan},
        {"roi_floor": -1},
        {"impact_floor": 1},
        {"overrule_holds": 1},
        {"auto_per_day": 1.5},
        {"nonsense": 1},
    ],
)
def test_a_wrong_knob_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        PromotionPolicy().changed(wrong)
    assert caught.value.field == next(iter(wrong))


def test_every_number_of_a_policy_has_limits_that_its_default_keeps() -> None:
    policy = PromotionPolicy()
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(policy, name) <= high
    assert PromotionPolicy(require_flags=True).knobs().required == ("flags",)


def objections(policy: PromotionPolicy, **changes: Any) -> tuple[str, ...]:
    facts: dict[str, Any] = {
        "verdict": "promote",
        "unmeasured": (),
        "confidence": 0.9,
        "p_collapse": 0.05,
        "today": 0,
    }
    return policy.objections(changes.pop("kind", "model"), **{**facts, **changes})


def test_automatic_mode_approves_within_its_limits_only() -> None:
    policy = PromotionPolicy(mode="automatic")

    assert objections(policy) == ()
    for beyond in (
        {"kind": "workflow"},
        {"verdict": "hold"},
        {"unmeasured": ("impact",)},
        {"confidence": 0.6},
        {"confidence": None},
        {"p_collapse": 0.3},
        {"p_collapse": None},
        {"today": 1},
    ):
        assert len(objections(policy, **beyond)) == 1, beyond
    assert len(objections(PromotionPolicy())) == 1


@pytest.mark.parametrize(
    ("knob", "code"), [("auto_unflagged", "flags"), ("auto_unknown_brittleness", "brittle")]
)
def test_what_may_be_missing_in_automatic_mode_is_stated_piece_by_piece(knob: str, code: str) -> None:
    policy = PromotionPolicy(mode="automatic").changed({knob: True})

    assert objections(PromotionPolicy(mode="automatic"), unmeasured=(code,)) == (f"not measured: {code}",)
    assert objections(policy, unmeasured=(code,)) == ()
    assert objections(policy, unmeasured=("impact", code)) == ("not measured: impact",)
    assert len(objections(policy, verdict="hold", unmeasured=(code,))) == 1, "a hold stays a hold"


def test_without_a_person_at_most_about_one_collapse_in_twenty_is_missed() -> None:
    usual = PromotionPolicy().auto_max_p_collapse

    assert P_COLLAPSE_LIMITS[0.02] <= usual <= P_COLLAPSE_LIMITS[0.1]
    assert abs(usual - P_COLLAPSE_LIMITS[0.05]) < 0.05
    assert usual < PromotionPolicy().max_p_collapse


BAND = ([4.0] * 5, [3.0] * 5)


@pytest.mark.parametrize(
    ("realised", "band"),
    [
        ({}, None),
        ({0: 5.0, 1: 9.0}, None),
        ({0: 3.5}, None),
        ({0: 3.5, 1: 4.5, 2: 3.5}, None),
        ({0: 3.5, 2: 3.5}, None),
        ({0: 3.5, 1: 3.5}, "80 %"),
        ({3: 2.9}, "95 %"),
        ({9: -100.0}, None),
    ],
)
def test_a_rollback_is_proposed_when_the_roi_falls_out_of_the_band(
    realised: dict[int, float], band: str | None
) -> None:
    alarm = left_band(realised, *BAND)

    assert (alarm and alarm["band"]) == band


@pytest.mark.parametrize(
    ("runs", "parent", "candidate", "p"),
    [(5, 0, 5, 1 / 252), (5, 5, 5, 1.0), (3, 0, 3, 1 / 20), (1, 0, 1, 0.5), (0, 0, 0, None), (2, 3, 1, None)],
)
def test_successes_are_compared_exactly(runs: int, parent: int, candidate: int, p: float | None) -> None:
    found = pairs_test(Pairs(runs=runs, parent=parent, candidate=candidate))

    assert found == (None if p is None else pytest.approx(p))


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1.0] * 7, 1 / 128),
        ([3.0, 1.0, 2.0], 1 / 8),
        ([3.0, -1.0, 2.0], 2 / 8),
        ([-1.0] * 5, 1.0),
        ([1.0, -1.0], 3 / 4),
        ([2.0, 1.0, 1.0, -1.0], 4 / 16),
        ([0.0, 0.0], 1.0),
        ([0.0, 1.0, 0.0], 1 / 2),
        ([], None),
    ],
)
def test_signed_ranks_are_counted_exactly(differences: list[float], p: float | None) -> None:
    assert signed_rank_test(differences) == (None if p is None else pytest.approx(p))
    assert signed_rank_test([1000 * each for each in differences]) == signed_rank_test(differences)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_a_candidate_that_saves_nothing_seldom_seems_to(seed: int) -> None:
    rng = random.Random(seed)
    found = [signed_rank_test([rng.gauss(0.0, 1.0) for _ in range(7)]) for _ in range(200)]

    assert sum(p is not None and 2 * p < 0.05 for p in found) <= 18  # 5 expected at most, and 5.5 sigma


@pytest.mark.parametrize(
    "found", [None, {}, {"parent": [], "candidate": []}, {"parent": [1.0], "candidate": [1.0, 2.0]}]
)
def test_without_pairs_no_saving_is_known(found: Any) -> None:
    assert saving_of(found) is None


def test_a_saving_is_told_by_medians_and_its_worth() -> None:
    found = {"parent": [2.0, 3.0, 4.0], "candidate": [1.0, 2.5, 1.0], "roi": 0.25}
    assert saving_of(found) == Saving(p_value=1 / 8, roi=0.25, before=3.0, after=1.0, pairs=3)


def test_presets_are_added_up() -> None:
    side = {"runs": 3, "successes": 1}
    more = {"runs": 3, "successes": 3}

    assert Pairs.of({"a": {"parent": side, "candidate": more}, "b": {"parent": side, "candidate": side}}) == (
        Pairs(runs=6, parent=2, candidate=4)
    )
