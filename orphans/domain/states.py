"""States of orphan modules, of their self-tests and of scans, and which moves are allowed."""

from enum import StrEnum


class ModuleState(StrEnum):
    """What became of a module that a scan found."""

    #: a scan found it, nothing was done about it yet
    FOUND = "found"
    #: a self-test is going to run it
    QUEUED = "queued"
    TESTING = "testing"
    PASSED = "passed"
    FAILED = "failed"
    #: not executed, with a reason: heavy side effects, switched off, public API
    SKIPPED = "skipped"
    #: in the module map
    INTEGRATED = "integrated"
    #: a person decided that it is not wanted
    RETIRED = "retired"
    #: a person took it out of the module map, or back from retirement
    RESTORED = "restored"
    #: a scan reaches it now, from something live
    LIVE = "live"
    #: its file is no longer there
    GONE = "gone"


class RunState(StrEnum):
    """Where the self-test of one module stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """Where a set of self-tests stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class ScanState(StrEnum):
    """How a scan ended."""

    DONE = "done"
    FAILED = "failed"


class TestOrigin(StrEnum):
    """Where the tests of a module come from."""

    __test__ = False  # no test class of pytest's

    #: `test_NAME.py` or `NAME_test.py`
    CONVENTION = "convention"
    #: test files that import the module
    IMPORTS = "imports"
    #: made here: import it, call what needs no arguments
    GENERATED = "generated"


ENDED = frozenset({RunState.PASSED, RunState.FAILED, RunState.SKIPPED, RunState.CANCELLED})
"""States of a self-test that has its verdict."""

ACTIVE_BATCH = frozenset({BatchState.QUEUED, BatchState.RUNNING})

WAITING = frozenset({ModuleState.FOUND, ModuleState.RESTORED, ModuleState.FAILED, ModuleState.SKIPPED})
"""Modules that a self-test may take, once for each content."""

SETTLED = frozenset({ModuleState.INTEGRATED, ModuleState.RETIRED, ModuleState.LIVE, ModuleState.GONE})
"""Modules that are no longer open in the queue."""

UNDOABLE = frozenset({ModuleState.INTEGRATED, ModuleState.RETIRED, ModuleState.SKIPPED})
"""States that a person may take back."""
