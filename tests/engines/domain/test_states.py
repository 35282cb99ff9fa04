"""The moves of a cycle, as a table."""

import pytest

from engines.domain.states import MOVES, STEPS, TERMINAL, CycleState, sources

S = CycleState


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(CycleState)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_what_ended_goes_on_only_by_being_queued_again(state: CycleState) -> None:
    assert MOVES[state] == {S.QUEUED}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (S.QUEUED, S.DONE),
        (S.PAUSED, S.RUNNING),
        (S.PAUSED, S.DONE),
        (S.DONE, S.RUNNING),
        (S.CANCELLED, S.DONE),
        (S.QUARANTINED, S.RUNNING),
    ],
)
def test_short_cuts_are_forbidden(start: CycleState, end: CycleState) -> None:
    assert end not in MOVES[start]
    assert start not in sources(end)


def test_only_a_queued_cycle_starts_running() -> None:
    assert sources(S.RUNNING) == (S.QUEUED,)


def test_every_state_can_be_reached_from_queued() -> None:
    reached, frontier = {S.QUEUED}, {S.QUEUED}
    while frontier:
        frontier = {after for state in frontier for after in MOVES[state]} - reached
        reached |= frontier
    assert reached == set(CycleState)


def test_the_steps_are_those_of_the_design_in_order() -> None:
    assert STEPS == (
        "inspect", "patch", "retrain", "orphans", "evolve", "measure", "learn", "flag", "gate", "snapshot"
    )  # fmt: skip
