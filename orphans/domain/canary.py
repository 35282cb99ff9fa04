"""A test that must fail, put among a bot's own: where it is told as anything else, none of them counts.

Tests run in the process of the code they test, so what pytest tells is that code's claim. A `conftest.py`
that calls every failure a success, or runs no test's body, does so to this one too. Code that knows of it and
looks for it can still lie: only values that are compared outside are a verdict.
"""

import secrets
from typing import Any, Final, NoReturn

FAILED: Final = "failed"
PYTEST_FAILED: Final = 1
"""Exit code of pytest when a test failed."""


class Canary:
    """A plugin of pytest: adds one failing test beside the first one, under its rules."""

    def __init__(self, pytest: Any) -> None:
        self._function = pytest.Function
        self._module = pytest.Module
        self._id: str | None = None
        #: what was told of it; None: nothing, because it was dropped, never run, or there was no test at all
        self.outcome: str | None = None

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Add the test at the end; the bot's own plugins see it as one of theirs."""
        modules = [module for each in items if (module := each.getparent(self._module)) is not None]
        if modules:
            added = self._function.from_parent(
                modules[0], name=f"test_{secrets.token_hex(8)}", callobj=must_fail
            )
            self._id = added.nodeid
            items.append(added)

    def is_it(self, report: Any) -> bool:
        """Whether a report is of this test; notes its outcome."""
        if self._id is None or report.nodeid != self._id:
            return False
        if report.when == "call":
            self.outcome = str(report.outcome)[:20]
        return True

    def code(self, code: int, failures: int) -> int:
        """Return pytest's exit code as it were without this test."""
        return 0 if code == PYTEST_FAILED and self.outcome == FAILED and not failures else code


def must_fail() -> NoReturn:
    """Fail."""
    raise AssertionError("this test must fail")
