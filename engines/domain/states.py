"""States of cycles and steps, and which moves are allowed."""

from enum import StrEnum


class CycleState(StrEnum):
    """Where a cycle stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


class StepState(StrEnum):
    """Where a step of a cycle stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    NOT_CONFIGURED = "not_configured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Control(StrEnum):
    """What a person asked of a running cycle."""

    NONE = ""
    PAUSE = "pause"
    CANCEL = "cancel"


class Trigger(StrEnum):
    """What set a cycle off."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    API = "api"
    CLI = "cli"
    PYTHON = "python"


STEPS = (
    "inspect",
    "patch",
    "retrain",
    "orphans",
    "evolve",
    "measure",
    "learn",
    "flag",
    "gate",
    "snapshot",
)
"""The steps of a cycle, in order."""

TERMINAL = frozenset(
    {CycleState.DONE, CycleState.SKIPPED, CycleState.FAILED, CycleState.CANCELLED, CycleState.QUARANTINED}
)

MOVES: dict[CycleState, frozenset[CycleState]] = {
    CycleState.QUEUED: frozenset(
        {CycleState.RUNNING, CycleState.PAUSED, CycleState.CANCELLED, CycleState.QUARANTINED}
    ),
    CycleState.RUNNING: frozenset({CycleState.QUEUED, CycleState.PAUSED, *TERMINAL}),
    CycleState.PAUSED: frozenset({CycleState.QUEUED, CycleState.CANCELLED}),
    CycleState.DONE: frozenset({CycleState.QUEUED}),
    CycleState.SKIPPED: frozenset({CycleState.QUEUED}),
    CycleState.FAILED: frozenset({CycleState.QUEUED}),
    CycleState.CANCELLED: frozenset({CycleState.QUEUED}),
    CycleState.QUARANTINED: frozenset({CycleState.QUEUED}),
}
"""Allowed moves; a finished cycle goes back to `queued` only by *retry from step*."""


def sources(target: CycleState) -> tuple[CycleState, ...]:
    """Return the states from which `target` may be reached."""
    return tuple(state for state, targets in MOVES.items() if target in targets)


class VersionState(StrEnum):
    """What became of a trained model."""

    CHAMPION = "champion"
    CANDIDATE = "candidate"
    RETIRED = "retired"
    REJECTED = "rejected"


class RevisionState(StrEnum):
    """What became of a workflow's revision."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    #: it was active until another one took its place
    SUPERSEDED = "superseded"
    #: taken back: its workflow points to the parent again
    REVERTED = "reverted"
    REJECTED = "rejected"
