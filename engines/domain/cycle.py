"""What a step of a cycle is: the Protocols between the state machine and the parts that do the work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engines.domain.results import Json, StepOutcome


class Interrupted(Exception):
    """A person asked to pause or cancel, or the lease was lost, while the step ran."""


class StepTimeout(Exception):
    """The step ran longer than it may."""


class StepFailed(Exception):
    """The step failed in a way that trying again won't mend."""

    def __init__(self, message: str, *, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class TransientStepError(StepFailed):
    """The step failed in a way that trying again may mend."""


class Pulse(Protocol):
    """The running step's line to the outside; safe to use from the step's thread."""

    def is_set(self) -> bool:
        """Return whether the step should stop now (the sandbox polls this)."""

    def report(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the step is, 0 to 1, or None when that isn't known."""


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """All that a step may know, as plain values."""

    cycle_id: int
    engine_id: int
    engine_name: str
    step: str
    trigger: str
    energy: float
    seed: int
    #: seconds that the step may take, the whole cycle's deadline included
    seconds_left: float
    #: results of the steps before, by name
    results: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    #: a folder of this attempt alone, which the step makes if it needs one; it is removed afterwards
    scratch: Path
    pulse: Pulse


class Part(Protocol):
    """What does the work of one step."""

    @property
    def brief(self) -> bool:
        """Whether `run` returns at once, touches nothing and may be repeated, and `commit` writes nothing.

        Brief steps in a row are written together, so a crash among them only repeats them.
        """

    def run(self, context: StepContext) -> StepOutcome:
        """Do the work without writing a row. May be repeated after a crash, so its effects must bear that."""

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Write the step's rows. Called once, inside the transaction that marks the step as done."""


class Idle:
    """A part without rows of its own; base of the parts."""

    @property
    def brief(self) -> bool:
        """Return True for a part that does nothing; whoever does something in a moment says so itself."""
        return type(self).run is Idle.run and type(self).commit is Idle.commit

    def run(self, context: StepContext) -> StepOutcome:
        """Do nothing."""
        return StepOutcome(state="done", note="nothing to do")

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Write nothing."""


@dataclass(frozen=True)
class NotConfiguredPart(Idle):
    """A part that says honestly that it does not exist here."""

    why: str

    @property
    def brief(self) -> bool:
        """Return True: saying so takes no time."""
        return True

    def run(self, context: StepContext) -> StepOutcome:
        """Say so."""
        return StepOutcome(state="not_configured", note=self.why)
