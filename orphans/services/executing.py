"""The self-test of one module: its runs in the sandbox, and the verdict from what was observed of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from orphans import sandbox
from orphans.domain import self_test_verdict as verdicts
from orphans.domain.self_test_verdict import Told, Verdict
from orphans.domain.side_effects import SideEffects, side_effects
from orphans.domain.states import RunState, TestOrigin
from orphans.sandbox import Cancel, Kind, Limits, Measurement, Outcome, RunSpec

CALL_MADE: Final = "orphans.domain.made_calls:call_made"
PROBE: Final = "orphans.domain.probing:probe"
RUN_TESTS: Final = "orphans.domain.probing:run_tests"
OUTPUT_CHARS: Final = 16_000
EXCEPTION_CHARS: Final = 8_000
CANCELLED: Final = Verdict(state=RunState.CANCELLED, reason="cancelled")
NOT_COUNTED: Final = "its side effects could not be counted here, so whether they are few is not known"

DEFAULT_LIMITS: Final = Limits(
    cpu_seconds=20.0,
    wall_seconds=30.0,
    memory_bytes=768 * 2**20,
    processes=24,
    output_bytes=2**20,
    file_bytes=32 * 2**20,
    result_bytes=2**18,
)

Run = Callable[..., Measurement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is tested, and how."""

    path: str
    #: dotted name; empty: it is loaded from its file
    module: str
    checkout: Path
    import_paths: tuple[str, ...] = (".",)
    packages: Path | None = None
    origin: TestOrigin = TestOrigin.GENERATED
    tests: tuple[str, ...] = ()
    #: count side effects, and go no further with a module that is heavy
    captures: bool = True
    threshold: float = 10.0
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a self-test tells; None where it was not measured."""

    verdict: Verdict
    effects: SideEffects | None
    #: columns of `ModuleRun`
    facts: Mapping[str, Any]


def self_test(order: Order, *, cancel: Cancel | None = None, run: Run = sandbox.run) -> Report:
    """Import the module, count what it attempts, and run its tests unless it is heavy or can't be imported.

    A module without tests of its own has its functions called: those that need no argument in the first
    run, those with annotated arguments, with made inputs, in a second one. That test made here fails when
    the import or a call shows broken code, or when a run doesn't live to its end.
    """
    generated = order.origin is TestOrigin.GENERATED
    probed = run(_spec(order, PROBE, {"calls": generated}), cancel=cancel)
    told = verdicts.read_claim(probed.result)
    effects = _effects(order, probed, told)
    if probed.outcome is Outcome.CANCELLED:
        return _report(order, [(probed, told)], CANCELLED, effects)
    if effects is not None and effects.is_heavy:
        return _report(
            order, [(probed, told)], Verdict(state=RunState.SKIPPED, reason=effects.reason), effects
        )
    verdict = verdicts.judge_probe(ok=probed.ok, explained=probed.explain(), told=told)
    if verdict.state is not RunState.PASSED or (generated and not told.is_open):
        return _report(order, [(probed, told)], verdict, effects)
    measured = run(_second(order), cancel=cancel)
    last = verdicts.read_claim(measured.result)
    return _report(order, [(probed, told), (measured, last)], _judged(order, measured, last), effects)


def _second(order: Order) -> RunSpec:
    """Return the run that tests: the first one counted side effects in an interpreter of its own."""
    made = order.origin is TestOrigin.GENERATED
    spec = _spec(order, CALL_MADE, {}) if made else _spec(order, RUN_TESTS, {"tests": list(order.tests)})
    return replace(spec, profile="tests")  # warm: what tests need is loaded


def _judged(order: Order, measured: Measurement, told: Told) -> Verdict:
    if measured.outcome is Outcome.CANCELLED:
        return CANCELLED
    judge = verdicts.judge_probe if order.origin is TestOrigin.GENERATED else verdicts.judge_tests
    return judge(ok=measured.ok, explained=measured.explain(), told=told)


def _spec(order: Order, target: str, payload: dict[str, Any]) -> RunSpec:
    return RunSpec(
        kind=Kind.JOB,
        target=target,
        payload={"path": order.path, "module": order.module, **payload},
        checkout=order.checkout,
        import_paths=order.import_paths,
        packages=order.packages,
        limits=order.limits,
    )


def _effects(order: Order, measured: Measurement, told: Told) -> SideEffects | None:
    """Return the score of the first run: of the sandbox's counts, else of what was heard inside."""
    if not order.captures:
        return None
    counts = _counts(measured, told)
    return None if counts is None else side_effects(counts, order.threshold)


def _counts(measured: Measurement, told: Told) -> Mapping[str, int] | None:
    seen = measured.attempts
    return told.counts if seen is None else {name: getattr(seen, name) for name in verdicts.COUNTS}


def _report(
    order: Order, runs: list[tuple[Measurement, Told]], verdict: Verdict, effects: SideEffects | None
) -> Report:
    first, last = runs[0], runs[-1]
    tested = len(runs) > 1 and order.origin is not TestOrigin.GENERATED
    failures = last[1].failed if tested else int(verdict.state is RunState.FAILED)
    seconds = _sum(measured.wall_seconds for measured, _ in runs)
    facts = {
        **_ending(last[0]),
        **_attempts(order, *first),
        "coverage": last[1].coverage,
        "calls": list(last[1].calls or first[1].calls),
        "functions": dict(last[1].functions),
        "tests_passed": last[1].passed,
        "tests_failed": last[1].failed,
        "wall_seconds": seconds,
        "cpu_seconds": _sum(measured.cpu_seconds for measured, _ in runs),
        "max_rss_bytes": max((measured.max_rss_bytes or 0 for measured, _ in runs)) or None,
        "side_effects": None if effects is None else effects.score,
        "score": verdicts.integration_score(last[1].coverage, seconds, failures),
    }
    return Report(verdict=verdict, effects=effects, facts=facts)


def _ending(measured: Measurement) -> dict[str, Any]:
    return {
        "outcome": measured.outcome.value,
        "exit_code": measured.exit_code,
        "signal": measured.signal,
        "exception": (measured.exception or "")[-EXCEPTION_CHARS:],
        "output_tail": measured.output_tail[-OUTPUT_CHARS:],
        "guarantees": dict(measured.guarantees),
    }


def _attempts(order: Order, measured: Measurement, told: Told) -> dict[str, Any]:
    counts = _counts(measured, told) if order.captures else None
    if counts is None:
        return dict.fromkeys((*verdicts.COUNTS, "attempts_exact"))
    seen = measured.attempts
    examples = told.examples if seen is None else seen.examples
    return {
        **counts,
        "attempts_exact": seen is not None and seen.exact,
        "examples": {name: list(texts) for name, texts in examples.items()},
    }


def _sum(parts: Any) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
