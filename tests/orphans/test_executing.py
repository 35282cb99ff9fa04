"""A module's self-test in the real sandbox, from its source to the verdict."""

from pathlib import Path

import pytest

from orphans.domain.states import RunState, TestOrigin
from orphans.services.executing import Order, Report, self_test

MEANS = (
    "def means(rows: list[list[float]]) -> list[float]:\n    return [sum(row) / len(row) for row in rows]\n"
)
WRITES = "def put(name: str) -> None:\n    open(name or 'x', 'w').close()\n"
LOOPS = "def turn(x: int) -> None:\n    while True:\n        pass\n"


def report_of(checkout: Path, source: str, **fields: object) -> Report:
    (checkout / "mod.py").write_text(source)
    order = Order(path="mod.py", module="mod", checkout=checkout, **fields)  # type: ignore[arg-type]
    return self_test(order)


@pytest.mark.parametrize(
    ("source", "state", "reason"),
    [
        ("x = 1\n", RunState.PASSED, "imported"),
        ("def f(x): ...\n", RunState.PASSED, "imported"),
        ("def f(x: int): ...\n", RunState.PASSED, "imported, 1 function called, 1 with made inputs"),
        (MEANS, RunState.PASSED, "1 with made inputs; means raised ZeroDivisionError for "),
        ("def f(x: int): return gone(x)\n", RunState.FAILED, "NameError: name 'gone' is not defined"),
    ],
)
def test_the_verdict_says_what_was_tried(tmp_path: Path, source: str, state: RunState, reason: str) -> None:
    report = report_of(tmp_path, source)
    assert report.verdict.state is state
    assert reason in report.verdict.reason


def test_calls_with_made_inputs_add_coverage_but_no_side_effects(tmp_path: Path) -> None:
    report = report_of(tmp_path, WRITES, threshold=1.0)
    assert report.verdict.state is RunState.PASSED
    assert report.facts["coverage"] == 1.0
    assert report.facts["file_writes"] == 0
    assert report.facts["functions"] == {"put": 5}
    assert report.facts["score"] > 0
    assert not [each for each in tmp_path.iterdir() if each.name not in ("mod.py", "__pycache__")]


def test_a_function_without_an_end_costs_its_seconds_and_no_more(tmp_path: Path) -> None:
    report = report_of(tmp_path, LOOPS)
    assert report.verdict.reason.endswith("turn raised TooLong for 1 of 1")
    assert 1 <= report.facts["wall_seconds"] < 20


def test_a_module_with_tests_of_its_own_gets_no_made_inputs(tmp_path: Path) -> None:
    (tmp_path / "test_mod.py").write_text("from mod import f\ndef test_f(): assert f(2) == 2\n")
    report = report_of(
        tmp_path,
        "def f(x: int) -> int:\n    return x if x == 2 else gone\n",
        origin=TestOrigin.CONVENTION,
        tests=("test_mod.py",),
    )
    assert (report.verdict.state, report.verdict.reason) == (RunState.PASSED, "1 tests passed")
