"""Verdicts that the judged code can't give itself: its answers are compared here, outside of its process.

The code gets inputs one at a time and never what is expected of them. An answer counts when it is the same
plain JSON, of the same types: no method of an object that the code made is ever called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orphans.sandbox.spec import Json, Kind, Measurement, Outcome, Runner, RunSpec, SpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input of a function and the answer that it should give."""

    payload: Json
    expected: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the cases showed."""

    passed: int
    failed: int
    #: one measurement for each case, in their order
    measurements: tuple[Measurement, ...]

    @property
    def ok(self) -> bool:
        """Whether every case passed, and there was one."""
        return self.failed == 0 and self.passed > 0


def same(left: Json, right: Json) -> bool:
    """Whether two plain JSON values are the same, types included: 1 is neither 1.0 nor true."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def compared(measured: Measurement, expected: Json) -> Measurement:
    """Return the measurement, failed when its result isn't the expected one."""
    if not measured.ok or same(measured.result, expected):
        return measured
    return replace(measured, outcome=Outcome.FAILED, reason="returned something else than expected")


def examine(runner: Runner, spec: RunSpec, cases: Sequence[Case]) -> Verdict:
    """Call the function of `spec` (`Kind.CALL`) once for each case, each in a process of its own.

    Raises:
        SpecError: the spec calls no function.
    """
    if spec.kind is not Kind.CALL:
        raise SpecError("only a function can be examined")
    told = tuple(compared(runner.run(replace(spec, payload=case.payload)), case.expected) for case in cases)
    passed = sum(each.ok for each in told)
    return Verdict(passed=passed, failed=len(told) - passed, measurements=told)
