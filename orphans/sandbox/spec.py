"""What may be asked of a sandbox and what it answers, as values.

`RunSpec` says what runs, on which checkout and within which limits; `Measurement` holds the facts
that were observed from outside. A runner that isolates more fills in more of `Measurement`
(`attempts`, more `guarantees`), and nobody above the seam changes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

Json = Any
"""What `json.loads` can return."""

TARGET: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)
"""`package.module:function`."""

ENVIRONMENT_NAME: Final = re.compile(r"(SANDBOX|BOT)_[A-Z0-9_]{1,60}\Z|LANG\Z|TZ\Z")
"""Variables that a spec may add; nothing that steers the interpreter, the loader or git."""

ARTIFACT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}(\.[A-Za-z0-9_-]{1,12})?\Z")

PROFILES: Final = ("", "learning", "tests")
"""Libraries that a warm server may hold; empty: none, a fresh interpreter."""

LARGEST: Final = 2**53
"""What no limit reaches: the system's own are numbers of 63 bits."""

PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]


class SpecError(ValueError):
    """A run was asked for that no runner could carry out."""


class Kind(StrEnum):
    """How the target is called."""

    #: `function(payload, job)` of this project, with `job.progress(…)` and `job.scratch`
    JOB = "job"
    #: `function(payload)` of the checkout
    CALL = "call"
    #: a script of the checkout, as `__main__`; its last word is its exit code
    FILE = "file"
    #: tests of the checkout: `arguments` select them, the result names each test's outcome
    PYTEST = "pytest"


class Network(StrEnum):
    """What a run may talk to."""

    #: itself alone
    NONE = "none"
    #: also a loopback API of its own, at the address in `SANDBOX_STUB_URL`
    STUB = "stub"


class Outcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    #: it raised, exited with another code than 0, or its result was refused
    FAILED = "failed"
    #: over its wall-clock or CPU time
    TIMEOUT = "timeout"
    #: ended for another limit: processes, output, size of the result
    KILLED = "killed"
    #: over its memory
    OOM = "oom"
    #: stopped at something it may not do
    DENIED = "denied"
    #: ended by a signal that nobody here sent
    CRASHED = "crashed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use, all its processes together unless said."""

    cpu_seconds: float = 60.0
    wall_seconds: float = 120.0
    #: resident memory
    memory_bytes: int = 2 * 2**30
    processes: int = 32
    #: beside the first one of each process
    threads: int = 128
    #: stdout and stderr; more of it ends the run
    output_bytes: int = 4 * 2**20
    open_files: int = 256
    #: the largest file it may write (of one process)
    file_bytes: int = 256 * 2**20
    #: everything it keeps in its scratch folder, `/tmp` and `/dev/shm`
    disk_bytes: int = 512 * 2**20
    #: the JSON that it hands over
    result_bytes: int = 2 * 2**20
    artifact_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        for each in fields(self):
            if not 0 < getattr(self, each.name) < LARGEST:
                raise SpecError(f"limit {each.name} must be a positive number below 2^53")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One run: what, with which input, where, and within which limits."""

    kind: Kind = Kind.JOB
    #: `package.module:function`, or for `Kind.FILE` a path inside the checkout
    target: str = ""
    #: handed to the target as plain JSON
    payload: Json = None
    #: call the function of `Kind.CALL` without any argument, rather than with `payload`
    bare: bool = False
    #: what a script finds in `sys.argv`, or which tests to run
    arguments: tuple[str, ...] = ()
    #: the bot's files and the working directory; a run only reads them
    checkout: Path | None = None
    #: folders of the checkout to import from, relative to it, first one first
    import_paths: tuple[str, ...] = (".",)
    #: a folder of installed packages to import from after all others
    packages: Path | None = None
    #: files that are copied into scratch before the run, by the name they get there; one of them may be what
    #: runs (`Kind.FILE`, or the module of `Kind.CALL`), and then scratch is the working directory
    inputs: Mapping[str, Path] = field(default_factory=dict)
    #: files in scratch to copy out when the run went well; one that isn't there is left out
    artifacts: tuple[str, ...] = ()
    #: where copies go, named by their digest; needed when `artifacts` names any
    store: Path | None = None
    limits: Limits = field(default_factory=Limits)
    network: Network = Network.NONE
    #: what the loopback API shall do, as `orphans.sandbox.stub_api` reads it
    stub: Json = None
    env: Mapping[str, str] = field(default_factory=dict)
    #: count calls per function of the checkout; the run tells them, so they are a claim
    count_calls: bool = False
    #: fork from a server that has these libraries loaded: `learning` or `tests`; empty: a fresh interpreter
    profile: str = ""

    def __post_init__(self) -> None:
        self._check_target()
        if self.profile not in PROFILES:
            raise SpecError(f"profile {self.profile!r} is none of {', '.join(filter(None, PROFILES))}")
        for name, value in self.env.items():
            if not ENVIRONMENT_NAME.match(name) or "\0" in value:
                raise SpecError(f"variable {name!r} can't be handed to a run")
        for name in (*self.artifacts, *self.inputs):
            if not ARTIFACT_NAME.match(name):
                raise SpecError(f"file {name!r} must be a plain file name")
        if self.packages is not None and not self.packages.is_dir():
            raise SpecError(f"there is no folder of packages {self.packages}")
        if self.artifacts and self.store is None:
            raise SpecError("artifacts need a store to be copied to")

    def _check_target(self) -> None:
        if self.kind is Kind.FILE and self.target in self.inputs:
            return
        if self.kind is Kind.FILE:
            parts = Path(self.target).parts
            if self.checkout is None or not parts or ".." in parts or Path(self.target).is_absolute():
                raise SpecError(f"file {self.target!r} must lie inside a checkout")
        elif self.kind is Kind.PYTEST:
            if self.checkout is None or any(each.startswith("-") or "\0" in each for each in self.arguments):
                raise SpecError("tests need a checkout, and their selection may not hold options")
        elif not TARGET.match(self.target):
            raise SpecError(f"target {self.target!r} must look like package.module:function")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that left a run: opaque bytes, kept under their digest."""

    name: str
    sha256: str
    size: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Side effects that a run tried, allowed or not, with its children's."""

    file_writes: int = 0
    network_connections: int = 0
    subprocesses: int = 0
    #: up to N of each, by the name of the count, cleaned for display
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: counted by the kernel; False: by a hook inside the run, which the run could fool
    exact: bool = False

    @property
    def total(self) -> int:
        """All of them together: the side-effect score."""
        return self.file_writes + self.network_connections + self.subprocesses


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was observed of one run. None always means "not measured"."""

    outcome: Outcome
    #: in words: which limit, which signal, what was refused; empty when all went well
    reason: str = ""
    #: exit code of the first process; None when a signal ended it
    exit_code: int | None = None
    signal: int | None = None
    #: what the target returned; only when the outcome is ok
    result: Json = None
    #: type, message and traceback as the run itself told them, cleaned: a claim, not a fact
    exception: str | None = None
    wall_seconds: float | None = None
    #: all processes of the run that ended
    cpu_seconds: float | None = None
    #: of the largest process
    max_rss_bytes: int | None = None
    #: the end of stdout and stderr, cleaned
    output_tail: str = ""
    output_bytes: int = 0
    #: processes still alive when the first one ended; all were killed
    survivors: int | None = None
    artifacts: tuple[StoredFile, ...] = ()
    #: counted side effects; None while no layer counts them
    attempts: Attempts | None = None
    #: calls per function of the checkout, `path:name`; None while nobody counted
    calls: Mapping[str, int] | None = None
    #: forked from a server that had its libraries loaded, rather than by an interpreter of its own
    warm: bool = False
    #: which promises held in this run
    guarantees: Mapping[str, bool] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the run ended well and its result was accepted."""
        return self.outcome is Outcome.OK

    @property
    def claims(self) -> tuple[str, ...]:
        """Name the fields that rest on the run's own words, which could be any; others were observed."""
        told = {"result": self.result, "exception": self.exception, "calls": self.calls}
        heard = self.attempts is not None and not self.attempts.exact
        found = [name for name, value in told.items() if value is not None]
        return (*found, *(["attempts"] if heard else []), *(["output_tail"] if self.output_tail else []))

    def explain(self) -> str:
        """Return one line on how it ended, for messages."""
        told = (self.exception or "").strip().splitlines()
        return ": ".join(part for part in (self.outcome.value, self.reason, told[-1] if told else "") if part)


Progress = Callable[[float | None, str], None]
"""Called with the finished fraction (None: unknown) and a message."""


class Cancel(Protocol):
    """What `threading.Event` has."""

    def is_set(self) -> bool:
        """Whether the run shall end now."""
        ...


class Runner(Protocol):
    """Carries out specs. Every implementation passes `tests/orphans/test_runners.py`."""

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        """Carry out one run; never raises for what the run does, only for an impossible spec."""
        ...
