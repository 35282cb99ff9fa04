"""Verdicts from what was observed, and claims that are checked."""

import math
from typing import Any

import pytest
from hypothesis import given

from orphans.domain.self_test_verdict import (
    Told,
    integration_score,
    judge_probe,
    judge_tests,
    read_claim,
)
from orphans.domain.states import RunState
from tests.orphans.domain.test_documents import json_values

GOOD = {"code": 0, "passed": 2, "failed": 0, "skipped": 1, "lines": 0.5}


def test_a_claim_becomes_values() -> None:
    counts = {"file_writes": 1, "network_connections": 0, "subprocesses": 2}
    told = read_claim(
        {**GOOD, "called": ["a"], "attempts": {"counts": counts, "examples": {"file_writes": ["x"]}}}
    )

    assert (told.passed, told.failed, told.code, told.coverage, told.calls) == (2, 0, 0, 0.5, ("a",))
    assert told.counts == counts
    assert told.examples == {"file_writes": ("x",)}


@given(json_values)
def test_no_claim_raises_or_grows(result: Any) -> None:
    told = read_claim(result)

    assert told.coverage is None or 0 <= told.coverage <= 1
    assert len(told.calls) <= 50


@pytest.mark.parametrize("share", [math.inf, math.nan, True, "1", None, [1]])
def test_a_share_that_is_no_number_was_not_measured(share: Any) -> None:
    assert read_claim({"lines": share}).coverage is None


@pytest.mark.parametrize("counts", [{}, {"file_writes": -1}, {"file_writes": 1}, 7, {"file_writes": True}])
def test_half_a_count_is_no_count(counts: Any) -> None:
    assert read_claim({"attempts": {"counts": counts}}).counts is None


def test_an_import_that_raised_fails_with_its_words() -> None:
    verdict = judge_probe(ok=False, explained="failed: ImportError: no helper", calls=())

    assert (verdict.state, verdict.reason) == (RunState.FAILED, "failed: ImportError: no helper")
    assert judge_probe(ok=True, explained="ok", calls=("a", "b")).reason == "imported, 2 functions called"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"failed": 1, "code": 1}, "1 of 3 tests failed"),
        ({"failed": 1, "code": 0}, "1 of 3 tests failed"),
        ({"code": 2}, "0 of 2 tests failed"),
        ({"passed": 0}, "no test ran: all were skipped, or none was found"),
        ({"passed": 0, "code": 5}, "no test ran: all were skipped, or none was found"),
        ({"passed": None}, "the tests ended without a report"),
        ({"code": None}, "the tests ended without a report"),
    ],
)
def test_tests_fail_for_every_reason_there_is(change: dict[str, Any], reason: str) -> None:
    verdict = judge_tests(ok=True, explained="ok", told=read_claim({**GOOD, **change}))

    assert (verdict.state, verdict.reason) == (RunState.FAILED, reason)


def test_tests_pass_when_all_agree() -> None:
    assert judge_tests(ok=True, explained="", told=read_claim(GOOD)).state is RunState.PASSED
    assert judge_tests(ok=False, explained="killed", told=read_claim(GOOD)).state is RunState.FAILED
    assert judge_tests(ok=True, explained="", told=Told()).state is RunState.FAILED


def test_the_score_is_coverage_less_time_less_failures() -> None:
    assert integration_score(0.9, 0.2, 0) == pytest.approx(0.7)
    assert integration_score(0.9, 0.2, 1) == 0.0
    assert integration_score(0.5, 3.0, 0) == 0.0
    assert integration_score(None, 0.2, 0) is None
    assert integration_score(0.5, None, 0) is None
