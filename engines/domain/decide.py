"""Should a cycle run?  The pure core of `_should_trigger`: facts in, a decision with all its reasons out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engines.domain.energy import allocate
from engines.domain.results import Decision, Reason
from engines.domain.wording import lasting as _words

if TYPE_CHECKING:
    from forecasting.domain.drift import Alarm

STALE_AFTER = 5.0
"""Intervals after which an engine runs although nothing else calls for it."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is known when a cycle is about to start; None always means "not measured"."""

    #: who asks, when a person or program did: always runs, with exactly the energy asked for
    asked_by: str | None = None
    #: seconds since the last cycle that ran; None: none ever did
    since_last: float | None = None
    #: seconds between scheduled cycles; None: no schedule
    interval: float | None = None
    #: an alarm that no cycle has answered yet
    alarm: "Alarm | None" = None
    #: evidence for drift without alarm, and where the alarm would be; None: nothing is watched
    drift_score: float | None = None
    drift_threshold: float | None = None
    #: errors since the last cycle and the newest of them; None: not watched
    errors: int | None = None
    last_error: str = ""
    #: the policy's forecast of running minus skipping; None: no policy is configured
    policy_advantage: float | None = None
    #: energy asked for, and the averages that scale it for scheduled cycles
    energy: float = 1.0
    roi_delta_ema: float | None = None
    roi_short_mean: float | None = None
    roi_spread: float | None = None
    momentum: float | None = None
    #: share of the momentum's window that was measured
    momentum_filled: float = 1.0


def decide(observation: Observation) -> Decision:
    """Return whether to run and why, reasons for running first.

    It runs when anyone asks, when none ever ran, on drift, on new errors, or when the last one is
    `STALE_AFTER` intervals old.  The reasons against are listed too, also when it runs.
    """
    reasons = sorted(_reasons(observation), key=lambda reason: not reason.favours_run)
    if not any(reason.favours_run for reason in reasons):
        return Decision(run=False, reasons=tuple(reasons))
    allocation = allocate(
        observation.energy,
        ema=observation.roi_delta_ema,
        short_mean=observation.roi_short_mean,
        spread=observation.roi_spread,
        momentum=observation.momentum,
        momentum_filled=observation.momentum_filled,
        scheduled=observation.asked_by is None,
    )
    return Decision(
        run=True, reasons=tuple(reasons), energy=allocation.energy, energy_factors=allocation.factors
    )


def _reasons(seen: Observation) -> Iterator[Reason]:
    if seen.asked_by is not None:
        yield Reason(
            code="manual", detail=f"{seen.asked_by} asked for it, which goes before everything else."
        )
    yield from _drift(seen)
    yield _errors(seen)
    yield from _time(seen)
    yield _policy(seen)


def _drift(seen: Observation) -> Iterator[Reason]:
    if seen.alarm is not None:
        yield from _alarmed(seen.alarm)
    elif seen.drift_score is None or seen.drift_threshold is None:
        yield Reason(code="drift_not_measured", detail="No metrics are watched yet.", favours_run=False)
    else:
        share = seen.drift_score / seen.drift_threshold
        yield Reason(
            code="no_drift",
            detail=f"The watched metrics are quiet: {share:.0%} of the evidence that would raise an alarm.",
            favours_run=False,
            value=seen.drift_score,
            threshold=seen.drift_threshold,
        )


def _alarmed(alarm: "Alarm") -> Iterator[Reason]:
    for part in alarm.contributions:
        size = "" if part.shift_in_sd is None else f" by {abs(part.shift_in_sd):.1f} standard deviations"
        yield Reason(
            code="drift",
            detail=f"{part.metric} went {part.direction}{size} ({part.share:.0%} of the evidence).",
            metric=part.metric,
            value=alarm.score,
            threshold=alarm.threshold,
        )


def _errors(seen: Observation) -> Reason:
    if seen.errors is None:
        return Reason(code="errors_not_measured", detail="Errors are not watched.", favours_run=False)
    if seen.errors == 0:
        detail = "No errors since the last cycle."
        return Reason(code="no_errors", detail=detail, favours_run=False, value=0.0, threshold=1.0)
    newest = f", the newest: {seen.last_error[:200]}" if seen.last_error else ""
    detail = f"{seen.errors} {'error' if seen.errors == 1 else 'errors'} since the last cycle{newest}."
    return Reason(code="errors", detail=detail, value=float(seen.errors), threshold=1.0)


def _time(seen: Observation) -> Iterator[Reason]:
    if seen.since_last is None:
        yield Reason(code="never_run", detail="No cycle of this engine ever ran.")
    elif seen.interval is None:
        yield Reason(
            code="no_schedule", detail="The engine has no schedule.", favours_run=False, value=seen.since_last
        )
    else:
        yield _age(seen.since_last, seen.interval)


def _age(since: float, interval: float) -> Reason:
    limit = STALE_AFTER * interval
    if since >= limit:
        detail = f"The last cycle ran {_words(since)} ago; after {_words(limit)} one runs in any case."
        return Reason(code="stale", detail=detail, value=since, threshold=limit)
    if since < interval:
        detail = f"The last cycle ran {_words(since)} ago; they are scheduled {_words(interval)} apart."
        return Reason(
            code="interval_not_elapsed", detail=detail, favours_run=False, value=since, threshold=interval
        )
    detail = f"The last cycle ran {_words(since)} ago, which is recent enough (up to {_words(limit)})."
    return Reason(code="not_stale", detail=detail, favours_run=False, value=since, threshold=limit)


def _policy(seen: Observation) -> Reason:
    if seen.policy_advantage is None:
        return Reason(code="policy_not_configured", detail="No policy is configured.", favours_run=False)
    better = seen.policy_advantage > 0
    return Reason(
        code="policy",
        detail=f"The policy expects {seen.policy_advantage:+.3g} from running.",
        favours_run=better,
        value=seen.policy_advantage,
        threshold=0.0,
    )
