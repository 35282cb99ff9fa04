"""Run pytest inside a run and tell the outcome of each test. What it tells is a claim of the run.

Shipped as code to the run's first process. Plugins load only when the payload names them; the cache is
off, because a run may not write into its checkout.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

MAX_TESTS: Final = 5_000
TEXT: Final = 2_000


class Reporter:
    """A plugin that keeps the worst outcome of each test's three phases."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, Any]] = {}
        self.errors: list[str] = []

    def pytest_collectreport(self, report: Any) -> None:
        """Keep what could not even be collected."""
        if report.failed and len(self.errors) < MAX_TESTS:
            self.errors.append(f"{report.nodeid}: {report.longreprtext[-TEXT:]}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep one phase: set-up, call or tear-down."""
        if report.nodeid not in self.tests and len(self.tests) >= MAX_TESTS:
            return
        test = self.tests.setdefault(report.nodeid[:120], {"outcome": "passed", "seconds": 0.0, "told": ""})
        test["seconds"] += report.duration
        if report.outcome != "passed":
            test["outcome"] = "error" if report.failed and report.when != "call" else report.outcome
            test["told"] = report.longreprtext[-TEXT:]


def run(payload: Any) -> dict[str, Any]:
    """Run the selection; return `exit`, `tests` (by node) and `errors` (of collecting)."""
    payload = payload or {}
    plugins = payload.get("plugins")
    if not plugins:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    reporter = Reporter()
    given = [f"-p{name}" for name in plugins or []]
    basics = ["-p", "no:cacheprovider", "-q", "--no-header", "--tb=short"]
    code = pytest.main([*basics, *given, *payload.get("options", []), *sys.argv[1:]], plugins=[reporter])
    return {"exit": int(code), "tests": reporter.tests, "errors": reporter.errors}
