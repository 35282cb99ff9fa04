"""One number for what a run attempted, and where it becomes too much."""

import pytest

from orphans.domain.side_effects import DEFAULT_THRESHOLD, SideEffects, side_effects


def scored(writes: int, connections: int = 0, processes: int = 0, **more: float) -> SideEffects:
    """Return a score that must exist."""
    counts = {"file_writes": writes, "network_connections": connections, "subprocesses": processes}
    found = side_effects(counts, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(("score", "heavy"), [(0, False), (5, False), (10, False), (11, True)])
def test_above_the_threshold_is_heavy(score: int, heavy: bool) -> None:
    found = scored(score)
    assert (found.score, found.is_heavy) == (score, heavy)


def test_every_kind_of_attempt_adds_one() -> None:
    assert scored(1, 2, 3).score == 6


def test_the_threshold_can_be_chosen() -> None:
    assert scored(3, threshold=2).is_heavy
    assert not scored(3, threshold=3).is_heavy
    assert DEFAULT_THRESHOLD == 10


def test_the_reason_lists_what_was_counted() -> None:
    assert scored(10, 0, 1).reason == "side-effect score 11 (10 file writes, 1 subprocess), above 10"
    assert scored(0).reason == "side-effect score 0 (nothing attempted), within 10"
    assert scored(1, 1).evidence().detail == scored(1, 1).reason


@pytest.mark.parametrize(
    "counts",
    [{}, {"file_writes": 3}, {"file_writes": 3, "network_connections": None, "subprocesses": 0}],
)
def test_what_was_not_counted_has_no_score(counts: dict[str, int | None]) -> None:
    assert side_effects(counts) is None


def test_other_counts_do_not_matter() -> None:
    counts = {"file_writes": 1, "network_connections": 0, "subprocesses": 0, "reads": 900}
    found = side_effects(counts)
    assert found is not None
    assert found.score == 1


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        scored(-1)
    with pytest.raises(ValueError, match="must not be negative"):
        scored(1, threshold=-1)
