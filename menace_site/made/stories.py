"""Plausible lives of cycles, seeded: how they ended, how long they took, what they were worth."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from engines.domain.results import Decision, Reason
from engines.domain.states import STEPS, CycleState, Trigger

ENDS = {
    CycleState.DONE: 80,
    CycleState.SKIPPED: 10,
    CycleState.FAILED: 6,
    CycleState.CANCELLED: 3,
    CycleState.QUARANTINED: 1,
}
TRIGGERS = {Trigger.SCHEDULE: 70, Trigger.MANUAL: 15, Trigger.API: 12, Trigger.CLI: 3}
MESSAGES = {
    CycleState.DONE: "",
    CycleState.SKIPPED: "no reason to run: no drift, last cycle 2 hours ago",
    CycleState.FAILED: "retrain: the pipeline's process ended with exit code 1",
    CycleState.CANCELLED: "cancelled",
    CycleState.QUARANTINED: "its worker died 3 times in a row at step retrain",
}
STEPS_DONE = {CycleState.DONE: len(STEPS), CycleState.SKIPPED: 1}
QUIET = Reason(
    code="quiet", detail="no metric drifted (score 12 of 1000)", favours_run=False, value=12, threshold=1000
)
AGE = Reason(code="age", detail="the last cycle ended 26 hours ago", value=93600.0, threshold=86400.0)
DRIFT = Reason(
    code="drift", detail="accuracy left its history", metric="accuracy", value=1450.0, threshold=1000.0
)
DECISIONS = [
    json.dumps(Decision(run=run, reasons=reasons, energy=1.0 if run else None).as_data())
    for run, reasons in ((True, (AGE, QUIET)), (True, (DRIFT, AGE)), (False, (QUIET,)))
]
ALPHA = 0.1

CYCLE_COLUMNS = (
    "engine_id", "state", "trigger", "energy", "requested_label", "seed", "created_at", "run_after",
    "started_at", "finished_at", "duration", "control", "lease_owner", "lease_token", "attempts", "takeovers",
    "fenced", "step", "steps_done", "decision", "message",
    "roi_gain", "value", "cost", "roi_delta", "roi_delta_ema", "momentum", "cpu_seconds",
)  # fmt: skip


@dataclass
class Bot:
    """One engine as its cycles go by."""

    engine_id: int
    #: mean ROI delta of its cycles
    worth: float
    ema: float | None = None
    wins: tuple[bool, ...] = ()

    def learn(self, delta: float) -> None:
        """Move the averages on by one measured cycle."""
        self.ema = delta if self.ema is None else (1 - ALPHA) * self.ema + ALPHA * delta
        self.wins = (*self.wins, delta > 0)[-10:]

    @property
    def momentum(self) -> float | None:
        """Share of successes among the latest measured cycles."""
        return sum(self.wins) / len(self.wins) if self.wins else None


def stories(bots: list[Bot], cycles: int, days: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    """Yield the columns of each cycle, oldest first."""
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    gap = dt.timedelta(days=days) / cycles
    states = chance.choices(list(ENDS), list(ENDS.values()), k=cycles)
    triggers = chance.choices(list(TRIGGERS), list(TRIGGERS.values()), k=cycles)
    for number, (state, trigger) in enumerate(zip(states, triggers, strict=True)):
        at = start + gap * (number + 0.9 * chance.random())
        yield (
            *_begun(bots[number % len(bots)], state, trigger, at, chance),
            *_worth(bots, number, state, chance),
        )


def _begun(
    bot: Bot, state: CycleState, trigger: Trigger, at: dt.datetime, chance: random.Random
) -> tuple[object, ...]:
    seconds = chance.lognormvariate(1.0 if state == CycleState.SKIPPED else 4.5, 0.8)
    started = at + dt.timedelta(seconds=chance.expovariate(0.5))
    ended = started + dt.timedelta(seconds=seconds)
    who = "schedule" if trigger == Trigger.SCHEDULE else chance.choice(["ada", "grace", "linus", "robot-7"])
    disturbed = int(chance.random() < 0.002)
    done = STEPS_DONE.get(state, chance.randrange(1, len(STEPS)))
    step = "" if state == CycleState.DONE else STEPS[min(done, len(STEPS) - 1)]
    decision = DECISIONS[2] if state == CycleState.SKIPPED else chance.choice(DECISIONS[:2])
    return (
        bot.engine_id, state, trigger, 1.0, who, 0, at, at, started, ended, seconds,
        "", "", 1 + disturbed, 0, disturbed, disturbed, step, done, decision, MESSAGES[state],
    )  # fmt: skip


def _worth(bots: list[Bot], number: int, state: CycleState, chance: random.Random) -> tuple[object, ...]:
    """Return ROI columns; only a cycle that went to its end was measured."""
    if state != CycleState.DONE:
        return (None,) * 7
    bot = bots[number % len(bots)]
    cpu = chance.lognormvariate(4.0, 0.5)
    cost = cpu / 3600 * 0.12
    value = max(0.0, chance.gauss(bot.worth, 2.0)) if chance.random() < 0.4 else 0.0
    delta = value - cost
    bot.learn(delta)
    return delta, value, cost, delta, bot.ema, bot.momentum, cpu
