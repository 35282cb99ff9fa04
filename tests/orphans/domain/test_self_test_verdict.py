"""What a run claims of its tests is checked, and its verdict follows from what was observed."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.self_test_verdict import (
    COUNTS,
    MAX_CALLS,
    NO_TESTS,
    Made,
    Told,
    integration_score,
    judge_probe,
    judge_tests,
    read_claim,
)
from orphans.domain.states import RunState

few = settings(max_examples=40, deadline=None)
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
claims = st.dictionaries(
    st.sampled_from(["called", "lines", "passed", "failed", "code", "attempts", "other"]),
    JSON | st.fixed_dictionaries({"counts": st.dictionaries(st.sampled_from(COUNTS), JSON)}),
)
numbers = st.none() | st.integers(0, 9)


@few
@given(claims | JSON)
def test_whatever_a_run_claims_is_bounded(claim: Any) -> None:
    told = read_claim(claim)
    assert len(told.calls) <= MAX_CALLS
    assert all(len(each) <= 200 for each in told.calls)
    assert told.coverage is None or 0 <= told.coverage <= 1
    for count in (told.passed, told.failed, told.code, *(told.counts or {}).values()):
        assert count is None or (type(count) is int and 0 <= count < 2**31)
    assert told.counts is None or set(told.counts) == set(COUNTS)
    json.dumps([told.calls, told.coverage, told.counts], allow_nan=False)


def test_calls_by_function_are_counts_of_printable_names() -> None:
    lies = {"f": 3, "g": -1, "h": True, "\x00": 1, "\u202e": 1, "x" * 900: 2, "none": 0}
    assert read_claim({"functions": lies}).functions == {"f": 3, "x" * 200: 2}
    assert len(read_claim({"functions": {str(n): 1 for n in range(9_000)}}).functions) == 500
    assert read_claim({"functions": [1]}).functions == {}


@pytest.mark.parametrize("lie", [True, -1, 2**31, 1.5, "3", [3], None, math.inf])
def test_a_count_that_is_none_was_not_measured(lie: Any) -> None:
    told = read_claim(
        {"passed": lie, "attempts": {"counts": {**dict.fromkeys(COUNTS, 0), "subprocesses": lie}}}
    )
    assert told.passed is None
    assert told.counts is None


@pytest.mark.parametrize(("share", "read"), [(0.5, 0.5), (7, 1.0), (-1, 0.0), (math.nan, None), (True, None)])
def test_a_share_lies_between_nothing_and_all(share: float, read: float | None) -> None:
    assert read_claim({"lines": share}).coverage == read


def test_long_lists_and_texts_are_cut() -> None:
    told = read_claim({"called": ["f" * 999] * 999})
    assert [len(each) for each in told.calls] == [200] * MAX_CALLS


@few
@given(st.booleans(), numbers, numbers, numbers)
def test_only_passed_tests_pass(ok: bool, passed: int | None, failed: int | None, code: int | None) -> None:
    verdict = judge_tests(ok=ok, explained="killed", told=Told(passed=passed, failed=failed, code=code))
    fine = ok and bool(passed) and failed == 0 and code in (0, NO_TESTS)
    assert (verdict.state is RunState.PASSED) is fine
    assert verdict.reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Told(passed=3, failed=0, code=0), "3 tests passed"),
        (Told(passed=3, failed=1, code=1), "1 of 4 tests failed"),
        (Told(passed=3, failed=0, code=1), "0 of 3 tests failed"),
        (Told(passed=0, failed=0, code=NO_TESTS), "no test ran: all were skipped, or none was found"),
        (Told(passed=3, failed=0), "the tests ended without a report"),
    ],
)
def test_the_reason_says_what_happened(told: Told, reason: str) -> None:
    assert judge_tests(ok=True, explained="", told=told).reason == reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Told(), "imported"),
        (Told(calls=("a",)), "imported, 1 function called"),
        (Told(calls=("a", "b")), "imported, 2 functions called"),
        (
            Told(calls=("a", "b"), made={"b": Made(inputs=5, raised={})}),
            "imported, 2 functions called, 1 with made inputs",
        ),
        (
            Told(calls=("b",), made={"b": Made(inputs=5, raised={"KeyError": 2, "OSError": 1})}),
            "imported, 1 function called, 1 with made inputs; b raised KeyError or OSError for 3 of 5",
        ),
    ],
)
def test_a_probe_passes_when_the_run_did(told: Told, reason: str) -> None:
    assert judge_probe(ok=True, explained="", told=told).reason == reason
    failed = judge_probe(ok=False, explained="killed by signal 9", told=told)
    assert (failed.state, failed.reason) == (RunState.FAILED, "killed by signal 9")


def test_of_many_functions_that_refuse_inputs_three_are_named() -> None:
    made = {name: Made(inputs=5, raised={"ValueError": 5}) for name in "abcde"}
    reason = judge_probe(ok=True, explained="", told=Told(calls=tuple("abcde"), made=made)).reason
    assert reason.endswith("c raised ValueError for 5 of 5; so did 2 more")


def test_a_lie_about_made_inputs_is_cut_to_size() -> None:
    claimed = {
        "fine": {"inputs": 2, "raised": {"KeyError": 1, "Other": -1}},
        "none": {"inputs": 0, "raised": {}},
        "odd": {"inputs": "5"},
        "list": [1],
        "\x1b[2J": {"inputs": 1, "raised": {}},
    }
    told = read_claim({"made": claimed, "open": 1})
    assert told.made == {"fine": Made(inputs=2, raised={"KeyError": 1})}
    assert told.is_open is False
    many = read_claim({"made": {f"f{i}": {"inputs": 1} for i in range(99)}, "open": True})
    assert (len(many.made), many.is_open) == (50, True)
    assert read_claim({"made": [1, 2]}).made == {}


@few
@given(st.none() | st.floats(0, 1), st.none() | st.floats(0, 100), st.none() | st.integers(0, 5))
def test_a_score_is_measured_or_it_is_not(
    coverage: float | None, seconds: float | None, failures: int | None
) -> None:
    score = integration_score(coverage, seconds, failures)
    assert (score is None) == (None in (coverage, seconds, failures))
    assert score is None or 0 <= score <= 1
