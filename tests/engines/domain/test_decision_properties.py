"""Decisions, estimates and money whatever was observed: reasons agree with answers, none is invented."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.decide import STALE_AFTER, Observation, decide
from engines.domain.energy import MAX_ENERGY, budget
from engines.domain.errors import InvalidInput
from engines.domain.eta import MIN_SAMPLES, about, remaining
from engines.domain.results import Budget
from engines.domain.roi import HISTORY, RoiState, ValueModel, billed_seconds, cycle_cost, roi_delta, uplift
from engines.domain.states import MOVES, TERMINAL, CycleState, sources

QUIET = settings(deadline=None, max_examples=60)
SECONDS = st.floats(0, 1e7)
MAYBE = st.none() | st.floats(-1e6, 1e6)
OBSERVATIONS = st.builds(
    Observation,
    asked_by=st.none() | st.just("ada"),
    since_last=st.none() | SECONDS,
    interval=st.none() | st.floats(10, 1e6),
    drift_score=st.none() | st.floats(0, 999),
    drift_threshold=st.none() | st.just(1000.0),
    errors=st.none() | st.integers(0, 5),
    last_error=st.text(max_size=300),
    policy_advantage=MAYBE,
    energy=st.floats(0.01, MAX_ENERGY),
    roi_delta_ema=MAYBE,
    roi_short_mean=MAYBE,
    roi_spread=st.none() | st.floats(0, 1e6),
    momentum=st.none() | st.floats(0, 1),
)
USUAL = st.lists(st.floats(0, 1e5), min_size=MIN_SAMPLES, max_size=8)


@settings(deadline=None, max_examples=120)
@given(OBSERVATIONS)
def test_it_runs_exactly_when_a_reason_favours_it(seen: Observation) -> None:
    found = decide(seen)
    favours = [reason.favours_run for reason in found.reasons]
    assert found.run == any(favours)
    assert favours == sorted(favours, reverse=True)
    assert (found.energy is not None) == found.run
    assert json.loads(json.dumps(found.as_data(), allow_nan=False))["run"] == found.run
    assert len({reason.code for reason in found.reasons}) == len(found.reasons)
    assert all(0 < len(reason.detail) < 400 for reason in found.reasons)


@QUIET
@given(OBSERVATIONS)
def test_who_asks_always_gets_a_cycle_of_that_energy(seen: Observation) -> None:
    found = decide(replace(seen, asked_by="ada"))
    assert found.run
    assert found.energy == pytest.approx(seen.energy)
    assert found.reasons[0].code == "manual"


@QUIET
@given(OBSERVATIONS)
def test_energy_stays_within_half_and_twice_of_what_was_asked(seen: Observation) -> None:
    found = decide(replace(seen, since_last=None))
    assert found.energy is not None
    assert seen.energy / 2 * 0.999 <= found.energy <= min(seen.energy * 2 * 1.001, MAX_ENERGY)


@QUIET
@given(st.floats(10, 1e6), st.floats(0.001, 10))
def test_age_decides_at_its_limits(interval: float, share: float) -> None:
    quiet = Observation(interval=interval, drift_score=0.0, drift_threshold=1.0, errors=0)
    codes = {reason.code for reason in decide(replace(quiet, since_last=share * interval)).reasons}
    since = share * interval
    stale, soon = since >= STALE_AFTER * interval, since < interval
    expected = "stale" if stale else "interval_not_elapsed" if soon else "not_stale"
    assert codes & {"stale", "interval_not_elapsed", "not_stale"} == {expected}


@QUIET
@given(st.dictionaries(st.sampled_from("abc"), USUAL, min_size=3), st.floats(0, 1e6))
def test_an_estimate_falls_with_time_and_is_never_negative(
    usual: dict[str, list[float]], elapsed: float
) -> None:
    now, later = (remaining(usual, ["b", "c"], "a", seconds) for seconds in (elapsed, elapsed + 10))
    assert now is not None
    assert later is not None
    assert 0 <= later.seconds <= now.seconds
    assert later.overdue >= now.overdue
    assert now.overdue == (elapsed > max(usual["a"]))
    assert about(now.seconds) in f"{now}" or now.overdue


@QUIET
@given(st.dictionaries(st.sampled_from("abc"), USUAL, min_size=3), st.sampled_from("abc"))
def test_one_step_with_too_little_history_makes_the_whole_unknown(
    usual: dict[str, list[float]], step: str
) -> None:
    short = {**usual, step: usual[step][: MIN_SAMPLES - 1]}
    assert remaining(short, ["b", "c"], "a", 0.0) is None


@QUIET
@given(st.floats(0, 1e6, allow_subnormal=False), st.floats(0, 3600))
def test_what_is_billed_covers_what_was_used_by_less_than_a_step(used: float, step: float) -> None:
    model = ValueModel(metric="m", cpu_billing_seconds=step, cpu_hour_cost=1.0)
    billed = billed_seconds(used, model)
    assert billed >= used * (1 - 1e-9)
    assert billed <= used + step * (1 + 1e-9) + 1e-9 * used
    assert cycle_cost(used, 0, model) == pytest.approx(billed / 3600)


@QUIET
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_directions_mirror_each_other(champion: float, challenger: float) -> None:
    more, less = ValueModel(metric="m"), ValueModel(metric="m", direction="min")
    assert uplift(champion, challenger, more) == -uplift(champion, challenger, less)
    assert uplift(champion, challenger, more) == uplift(challenger, champion, less)


@QUIET
@given(st.lists(st.floats(-1e6, 1e6), max_size=70), st.floats(0.01, 1))
def test_the_memory_of_roi_holds_the_newest(deltas: list[float], alpha: float) -> None:
    state = RoiState(alpha=alpha)
    for delta in deltas:
        state = state.updated(delta)
    assert state.deltas == tuple(deltas[-HISTORY:])
    assert state.success_history == tuple(delta > 0 for delta in deltas[-HISTORY:])
    assert (state.ema is None) == (not deltas)
    assert state.ema is None or min(deltas) - 1e-6 <= state.ema <= max(deltas) + 1e-6
    assert (state.momentum is None) == (not deltas)
    assert state.momentum_filled == min(len(deltas), 10) / 10


@QUIET
@given(st.permutations([1e16, 1.0, -1e16, 0.25, 3.0]))
def test_a_sum_of_candidates_loses_no_small_one(gains: list[float]) -> None:
    assert roi_delta(gains, 0.25) == 4.0


@QUIET
@given(st.floats(0.1, 1e4), st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.001, 1))
def test_a_budget_is_in_proportion(seconds: float, trials: int, energy: float, scale: float) -> None:
    bought = budget(Budget(cpu_seconds=seconds, trials=trials), energy, scale=scale)
    assert bought.cpu_seconds == pytest.approx(seconds * energy * scale)
    assert bought.trials >= 1
    assert bought.trials == 1 or abs(bought.trials - trials * energy * scale) <= 0.5 + 1e-6


@pytest.mark.parametrize("delta", [math.nan, math.inf, -math.inf])
def test_a_delta_that_is_no_number_is_refused(delta: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        RoiState().updated(delta)
    assert caught.value.field == "roi_delta"


def test_every_state_can_be_reached_and_left() -> None:
    for state in CycleState:
        assert sources(state)
        assert all(state in MOVES[source] for source in sources(state))
        assert state not in MOVES[state]
    for state in TERMINAL:
        assert MOVES[state] == {CycleState.QUEUED}
