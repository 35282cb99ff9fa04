"""Values that the parts of a cycle hand each other (all frozen, all JSON-able by `asdict`)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Json = Any
"""What `json.loads` can return; checked where it enters."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something: a person, a token or the system itself."""

    #: primary key of the user behind it; None for the system and the command line
    user_id: int | None = None
    #: what audit rows and pages show
    label: str = "system"
    #: "person", "token", "cli", "python" or "system"
    kind: str = "system"


SYSTEM = Actor()
CLI = Actor(label="command line", kind="cli")
PYTHON = Actor(label="python", kind="python")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much a cycle may spend."""

    #: CPU seconds of all processes of the search together, > 0
    cpu_seconds: float
    #: how many configurations may be tried, >= 1
    trials: int


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason of a decision, as data and in words."""

    #: a stable word for programs, such as `drift` or `manual`
    code: str
    #: one sentence for people
    detail: str
    #: whether it speaks for running (True) or against (False)
    favours_run: bool = True
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a cycle runs, and everything that spoke for and against it."""

    run: bool
    reasons: tuple[Reason, ...]
    #: what the cycle may spend, 1.0 = the engine's base budget; None when it doesn't run
    energy: float | None = None
    #: each factor that scaled the energy, by name
    energy_factors: Mapping[str, float] = field(default_factory=dict)

    def as_data(self) -> dict[str, Json]:
        """Return plain lists and dicts."""
        return {
            "run": self.run,
            "reasons": [asdict(reason) for reason in self.reasons],
            "energy": self.energy,
            "energy_factors": dict(self.energy_factors),
        }


@dataclass(frozen=True, kw_only=True)
class Roi:
    """What a candidate is worth, in the currency of the engine's value model."""

    #: value - cost
    roi_gain: float
    #: value of the measured uplift over what is deployed; 0 when it is not significant
    value: float
    #: billed CPU time and tokens
    cost: float
    #: bounds of roi_gain at the confidence below; None when not measured
    low: float | None = None
    high: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that came out of a run: opaque bytes, named by their digest."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class AutomationResult:
    """What one run of the pipeline found. `None` always means "not measured"."""

    roi: Roi | None
    #: "promotable", "no significant gain", "skipped: ..." and the like
    verdict: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    champion: Mapping[str, Json] = field(default_factory=dict)
    challenger: Mapping[str, Json] = field(default_factory=dict)
    significance: Mapping[str, Json] = field(default_factory=dict)
    search: Mapping[str, Json] = field(default_factory=dict)
    #: the challenger's file
    artifact: Artifact | None = None
    #: the file of what is deployed, trained again beside it
    champion_artifact: Artifact | None = None
    cpu_seconds: float | None = None
    tokens: int = 0
    warnings: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Json]:
        """Return plain lists and dicts."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """How a step of a cycle ended; failures are exceptions instead."""

    #: "done", "skipped" or "not_configured"
    state: str
    #: one line for people
    note: str = ""
    result: Mapping[str, Json] = field(default_factory=dict)
    cpu_seconds: float | None = None
    log: str = ""
    #: True ends the cycle here as "skipped" (inspect decided not to run)
    stop: bool = False


@dataclass(frozen=True)
class Tally:
    """What came of an act on many rows: ids with the state they were in, and why others were left alone."""

    done: tuple[tuple[int, str], ...] = ()
    refused: tuple[str, ...] = ()
