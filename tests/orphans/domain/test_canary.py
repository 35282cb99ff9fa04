"""Tests that are told as passed whatever they do tell nothing."""

from pathlib import Path

import pytest

from orphans.domain.self_test_verdict import judge_tests, read_claim
from orphans.domain.states import RunState
from tests.orphans.domain.test_probing import inside

HONEST = "import mod\ndef test_it(): assert mod.double(2) == {}\n"
CLASSES = """
import mod, unittest
class TestIt(unittest.TestCase):
    def test_it(self): self.assertEqual(mod.double(2), 4)
"""
SOURCE = "def double(x):\n    return 2 * x\n"
CALLS_IT_PASSED = """
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    found = yield
    report = found.get_result()
    report.outcome, report.longrepr = "passed", None
"""
RUNS_NOTHING = "def pytest_pyfunc_call(pyfuncitem): return True\n"
EXPECTS_FAILURES = """
import pytest
@pytest.fixture(autouse=True)
def expects(request): request.node.add_marker(pytest.mark.xfail)
"""
SHUFFLES = "def pytest_collection_modifyitems(items): items.reverse()\n"


def verdict_of(folder: Path, tests: str, conftest: str = "") -> tuple[RunState, str]:
    (folder / "test_mod.py").write_text(tests)
    (folder / "conftest.py").write_text(conftest)
    result, stderr = inside(folder, SOURCE, name="run_tests", tests=["test_mod.py"])
    assert result is not None, stderr
    verdict = judge_tests(ok=True, explained="", told=read_claim(result))
    return verdict.state, verdict.reason


@pytest.mark.parametrize("conftest", [CALLS_IT_PASSED, RUNS_NOTHING, EXPECTS_FAILURES])
def test_a_conftest_that_calls_everything_a_success_is_found_out(tmp_path: Path, conftest: str) -> None:
    state, reason = verdict_of(tmp_path, HONEST.format(5), conftest)
    assert (state, "one that must fail did not" in reason) == (RunState.FAILED, True)


@pytest.mark.parametrize(("tests", "conftest"), [(HONEST.format(4), SHUFFLES), (CLASSES, "")])
def test_honest_tests_are_told_as_before(tmp_path: Path, tests: str, conftest: str) -> None:
    assert verdict_of(tmp_path, tests, conftest) == (RunState.PASSED, "1 tests passed")


def test_an_honest_failure_is_one(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, HONEST.format(5)) == (RunState.FAILED, "1 of 1 tests failed")


@pytest.mark.parametrize(("told", "fooled"), [(None, False), ("failed", False), ("passed", True), (1, True)])
def test_what_is_told_of_it_decides(told: object, fooled: bool) -> None:
    claim = read_claim({"canary": told, "passed": 1, "failed": 0, "code": 0})
    assert claim.is_fooled is fooled
    state = judge_tests(ok=True, explained="", told=claim).state
    assert (state is RunState.FAILED) is fooled
