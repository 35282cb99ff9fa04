"""Presets follow forecasts of synergy, one rung at a time, and stay presets that are allowed."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.preset_adapting import LADDERS, RULES, Move, adapt_presets, moves
from orphans.domain.preset_keys import KEYS
from orphans.domain.preset_profiles import generate_canonical_presets
from orphans.domain.presets import PresetError, read_preset


class Foresees:
    """A tracker that foresees these values."""

    def __init__(self, ahead: Mapping[str, float | None], trust: float | None = None) -> None:
        self.ahead, self.trust = ahead, trust

    def predict_synergy_metric(self, name: str) -> float | None:
        """Return the value that was given."""
        return self.ahead.get(name)

    def reliability(self, metric: str) -> float | None:
        """Return the same for all."""
        return self.trust


SMALL = [{"CPU_LIMIT": "1", "MEMORY_LIMIT": "256"}]


@pytest.mark.parametrize(
    ("efficiency", "cpu", "memory"),
    [(0.02, 0.5, "128Mi"), (-0.02, 2, "512Mi"), (0.0, 1, "256Mi"), (None, 1, "256Mi")],
)  # fmt: skip
def test_efficient_parts_get_less_and_wasteful_ones_more(
    efficiency: float | None, cpu: float, memory: str
) -> None:
    assert adapt_presets(Foresees({"efficiency": efficiency}), SMALL) == [
        {"CPU_LIMIT": cpu, "MEMORY_LIMIT": memory}
    ]
    assert SMALL == [{"CPU_LIMIT": "1", "MEMORY_LIMIT": "256"}]


@pytest.mark.parametrize(
    ("metric", "key", "before", "after"),
    [
        ("antifragility", "THREAT_INTENSITY", 30, 50),
        ("safety_rating", "THREAT_INTENSITY", 30, 50),
        ("resilience", "BANDWIDTH_LIMIT", 10, 50),
        ("risk_index", "SECURITY_LEVEL", 2, 3),
        ("adaptability", "CPU_LIMIT", 2, 1),
        ("network_latency", "NETWORK_LATENCY_MS", 100, 200),
    ],
)
def test_a_metric_moves_its_key_and_a_negative_one_the_other_way(
    metric: str, key: str, before: float, after: float
) -> None:
    (up,) = adapt_presets(Foresees({metric: 0.5}), [{key: before, "TIME_LIMIT": 9}])
    assert up == {key: after, "TIME_LIMIT": 9}
    (back,) = adapt_presets(Foresees({metric: -0.5}), [up])
    assert back == {key: before, "TIME_LIMIT": 9}


def test_votes_that_cancel_out_leave_a_key() -> None:
    found = moves(Foresees({"cpu_usage": 1.0, "efficiency": 1.0, "maintainability": 1.0, "flexibility": 1.0}))
    assert found["CPU_LIMIT"] == Move(-1, ("efficiency", "maintainability"))
    assert found["MEMORY_LIMIT"] == Move(-1, ("efficiency", "flexibility"))
    assert moves(Foresees({"cpu_usage": 1.0, "maintainability": 2.0})) == {}


def test_a_metric_that_was_never_foreseen_well_has_no_vote() -> None:
    assert moves(Foresees({"efficiency": 1.0}, trust=0.4)) == {}
    assert set(moves(Foresees({"efficiency": 1.0}, trust=0.5))) == {"CPU_LIMIT", "MEMORY_LIMIT"}


def test_nothing_leaves_its_ladder_and_odd_values_go_to_the_next_rung() -> None:
    ends = [{"CPU_LIMIT": 0.1, "MEMORY_LIMIT": "100Mi"}, {"CPU_LIMIT": 3, "MEMORY_LIMIT": "300Mi"}]
    assert adapt_presets(Foresees({"efficiency": 1.0}), ends) == [
        {"CPU_LIMIT": 0.1, "MEMORY_LIMIT": "100Mi"},
        {"CPU_LIMIT": 2, "MEMORY_LIMIT": "256Mi"},
    ]


def test_a_move_that_contradicts_another_key_is_left_out() -> None:
    """Latency can't go under the jitter, nor hostile inputs over what misuse leaves."""
    presets = [
        {"NETWORK_LATENCY_MS": 100, "NETWORK_JITTER_MS": 80},
        {"THREAT_INTENSITY": 50, "MISUSE_RATE": 40},
    ]
    assert adapt_presets(Foresees({"network_latency": -1.0, "antifragility": 1.0}), presets) == presets


def test_a_preset_that_is_refused_is_refused_here_too() -> None:
    with pytest.raises(PresetError, match="CPU_LIMIT"):
        adapt_presets(Foresees({}), [{"CPU_LIMIT": -1}])


def test_rules_speak_of_keys_with_a_ladder_inside_of_their_bounds() -> None:
    for key in {key for keys in RULES.values() for key in keys}:
        assert list(LADDERS[key]) == sorted(set(LADDERS[key]))
        assert KEYS[key].low <= LADDERS[key][0] <= LADDERS[key][-1] <= KEYS[key].high


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(RULES)), st.floats(-1, 1)))
def test_whatever_is_foreseen_presets_stay_allowed_and_keep_their_keys(ahead: dict[str, Any]) -> None:
    given_ones = generate_canonical_presets()
    for before, after in zip(given_ones, adapt_presets(Foresees(ahead), given_ones), strict=True):
        assert list(after) == list(before)
        assert read_preset(after).as_data() == after
