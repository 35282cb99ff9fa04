"""From what was observed of a self-test to its verdict, outside of the process that ran it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orphans.domain.canary import FAILED
from orphans.domain.states import RunState

MAX_CALLS: Final = 50
MAX_FUNCTIONS: Final = 500
COUNTS: Final = ("file_writes", "network_connections", "subprocesses")
NO_TESTS: Final = 5
"""Exit code of pytest when it collected nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A function that was called with inputs made from its annotations."""

    inputs: int
    #: the input was refused, or broke something: the number of inputs by class of exception
    raised: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run claims of itself, checked: sizes bounded, numbers finite."""

    calls: tuple[str, ...] = ()
    #: whether functions are left that could be called with made inputs
    is_open: bool = False
    #: functions called with made inputs
    made: Mapping[str, Made] = field(default_factory=dict)
    #: share of the module's lines that ran, 0 to 1
    coverage: float | None = None
    passed: int | None = None
    failed: int | None = None
    code: int | None = None
    #: a test that must fail was told as something else
    is_fooled: bool = False
    counts: Mapping[str, int] | None = None
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: calls of the module's functions
    functions: Mapping[str, int] = field(default_factory=dict)


def read_claim(result: Any) -> Told:
    """Return a run's result as values; what doesn't fit is left out, so a big lie gains nothing."""
    told: Mapping[str, Any] = result if isinstance(result, dict) else {}
    calls, heard = told.get("called"), told.get("attempts")
    attempts: Mapping[str, Any] = heard if isinstance(heard, dict) else {}
    return Told(
        calls=_texts(calls, MAX_CALLS),
        is_open=told.get("open") is True,
        made=_made(told.get("made")),
        coverage=_share(told.get("lines")),
        passed=_count(told.get("passed")),
        failed=_count(told.get("failed")),
        code=_count(told.get("code")),
        is_fooled=told.get("canary") not in (None, FAILED),
        counts=_counts(attempts.get("counts")),
        examples=_examples(attempts.get("examples")),
        functions=_functions(told.get("functions")),
    )


def _texts(given: Any, most: int) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else []
    return tuple(str(each)[:200] for each in texts[:most] if isinstance(each, str))


def _share(given: Any) -> float | None:
    plain = isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < math.inf
    return float(min(1.0, max(0.0, given))) if plain else None


def _count(given: Any) -> int | None:
    whole = isinstance(given, int) and not isinstance(given, bool)
    return int(given) if whole and 0 <= given < 2**31 else None


def _counts(given: Any) -> Mapping[str, int] | None:
    if not isinstance(given, dict):
        return None
    counts = {name: _count(given.get(name)) for name in COUNTS}
    known = {name: count for name, count in counts.items() if count is not None}
    return known if len(known) == len(COUNTS) else None


def _made(given: Any) -> Mapping[str, Made]:
    functions = list(given.items())[:MAX_CALLS] if isinstance(given, dict) else []
    return {
        str(name)[:200]: Made(inputs=inputs, raised=_functions(each.get("raised")))
        for name, each in functions
        if isinstance(each, dict) and str(name).isprintable() and (inputs := _count(each.get("inputs")))
    }


def _functions(given: Any) -> Mapping[str, int]:
    """Return at most 500 names with how often each was called; a name with anything else drops out."""
    counts = list(given.items())[:MAX_FUNCTIONS] if isinstance(given, dict) else []
    plain = [(str(name)[:200], told) for name, told in counts if str(name).isprintable()]
    return {name: count for name, told in plain if (count := _count(told))}


def _examples(given: Any) -> Mapping[str, tuple[str, ...]]:
    examples = given if isinstance(given, dict) else {}
    return {name: _texts(examples.get(name), 5) for name in COUNTS if examples.get(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a self-test ended."""

    state: RunState
    reason: str


def judge_probe(*, ok: bool, explained: str, told: Told) -> Verdict:
    """Judge the import and the calls: what raised, was killed or left too early has failed."""
    if not ok:
        return Verdict(state=RunState.FAILED, reason=explained)
    plural = "" if len(told.calls) == 1 else "s"
    called = f", {len(told.calls)} function{plural} called" if told.calls else ""
    made = f", {len(told.made)} with made inputs" if told.made else ""
    return Verdict(state=RunState.PASSED, reason=f"imported{called}{made}{_refusals(told.made)}")


def _refusals(made: Mapping[str, Made]) -> str:
    """Say of at most three functions what made inputs raised: a hint for the reader, never a failure."""
    told = [
        f"{name} raised {' or '.join(list(each.raised)[:3])} for {sum(each.raised.values())} of {each.inputs}"
        for name, each in made.items()
        if each.raised
    ]
    more = f"; so did {len(told) - 3} more" if len(told) > 3 else ""
    return "".join(f"; {each}" for each in told[:3]) + more


def judge_tests(*, ok: bool, explained: str, told: Told) -> Verdict:
    """Judge a run of test files: at least one test, all of them passed, and pytest agrees."""
    if not ok:
        return Verdict(state=RunState.FAILED, reason=explained)
    if told.code is None or told.passed is None or told.failed is None:
        return Verdict(state=RunState.FAILED, reason="the tests ended without a report")
    if told.failed or told.code not in (0, NO_TESTS):
        return Verdict(
            state=RunState.FAILED, reason=f"{told.failed} of {told.failed + told.passed} tests failed"
        )
    if told.is_fooled:
        return Verdict(
            state=RunState.FAILED, reason="its tests tell of success in any case: one that must fail did not"
        )
    if not told.passed:
        return Verdict(state=RunState.FAILED, reason="no test ran: all were skipped, or none was found")
    return Verdict(state=RunState.PASSED, reason=f"{told.passed} tests passed")


def integration_score(coverage: float | None, seconds: float | None, failures: int | None) -> float | None:
    """Return coverage (0 to 1) - run time (s) - failures, at least 0; None while one wasn't measured.

    All three weigh 1, as the specification's service has it: so a slow module scores 0 however well covered.
    """
    if coverage is None or seconds is None or failures is None:
        return None
    return max(0.0, coverage - seconds - failures)
