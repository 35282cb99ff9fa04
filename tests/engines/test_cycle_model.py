"""Cycles against a model: whatever people, workers and the sweeper do in whatever order, the rules hold."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings as configured

from engines.domain.cycle import StepContext, StepFailed, TransientStepError
from engines.domain.errors import Conflict
from engines.domain.results import SYSTEM, StepOutcome
from engines.domain.states import MOVES, STEPS, TERMINAL, Control, CycleState, StepState
from engines.models import Cycle, CycleStep, CycleTally, Engine
from engines.services import runner, sweeper
from engines.services.cycles import cancel_cycle, pause_cycle, resume_cycle, retry_cycle, run_cycle
from engines.services.leases import Lease, beat, claim
from tests.engines.moving import Does, effects, expire, parts, queued
from tests.factories import make_engine

pytestmark = pytest.mark.django_db
HELD = (CycleState.RUNNING,)
OPEN_STEPS = (StepState.PENDING, StepState.RUNNING)
ACTIONS = 30


def reach() -> dict[str, set[str]]:
    """Return which states one action may lead to: it may move a cycle several times, but ends it once."""
    found: dict[str, set[str]] = {}
    for start in CycleState:
        seen, todo = {start}, [start]
        while todo:
            for state in MOVES[todo.pop()]:
                if state not in seen:
                    seen.add(state)
                    todo += [] if state in TERMINAL else [state]
        found[start] = set(map(str, seen))
    return found


REACH = reach()


class World:
    """One engine, its cycles, and everybody who may touch them; every choice comes from a seed."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.engine = make_engine()
        self.stolen = False
        self.before: dict[int, Cycle] = {}
        self.ends = 0
        self.retries: Counter[int] = Counter()
        self.retried = False

    @property
    def cycles(self) -> list[Cycle]:
        return list(Cycle.objects.filter(engine=self.engine).order_by("pk"))

    def some(self, *states: CycleState) -> Cycle | None:
        found = [cycle for cycle in self.cycles if not states or cycle.state in states]
        return self.pick.choice(found) if found else None

    # what may happen

    def enqueue(self) -> None:
        if len(self.cycles) < 3:
            queued(self.engine)

    def work(self) -> None:
        """Move a cycle by a step; the step may end in every way there is."""
        cycle = self.some()
        if cycle is None:
            return
        end = self.pick.choice([None] * 9 + [fails, stumbles, dies, stops, self.loses, *map(wishes, Control)])
        step = cycle.step or STEPS[0]
        acts: dict[str, Any] = {step: end} if end else {}
        self.stolen = False
        told = "died"
        with suppress(SystemExit):
            told = run_cycle(
                cycle.pk, owner="w", parts=parts(**acts), ignore_back_off=self.pick.random() < 0.8
            )
        assert (told == "lease lost") == self.stolen

    def loses(self, context: StepContext) -> None:
        """Be so slow that another worker takes the cycle over and hangs with it."""
        Cycle.objects.filter(pk=context.cycle_id).update(lease_until="2001-01-01T00:00:00Z")
        self.stolen = claim(context.cycle_id, owner="rival") is not None

    def hold(self) -> None:
        """Claim a cycle and keep the lease, as a worker does that then hangs."""
        cycle = self.some()
        if cycle is not None:
            claim(cycle.pk, owner="hanging")

    def die(self) -> None:
        if cycle := self.some(*HELD):
            expire(cycle)

    def sweep(self) -> None:
        woken = sweeper.sweep()
        assert len(woken) <= 1, "an engine's turn belongs to one cycle"

    def switch(self) -> None:
        Engine.objects.filter(pk=self.engine.pk).update(enabled=self.pick.random() < 0.8)

    def ask(self) -> None:
        """Let a person act; the refusal is the one that the state foretells."""
        cycle = self.some()
        if cycle is None:
            return
        act = self.pick.choice([cancel_cycle, pause_cycle, resume_cycle])
        if fits(act, cycle):
            act(cycle.pk, actor=SYSTEM)
        else:
            with pytest.raises(Conflict, match=f"cycle {cycle.pk} is {cycle.state}"):
                act(cycle.pk, actor=SYSTEM)

    def retry(self) -> None:
        cycle = self.some(*TERMINAL)
        if cycle is None:
            return
        with suppress(Conflict):
            retry_cycle(cycle.pk, from_step=STEPS[self.pick.randint(0, cycle.steps_done) % 10], actor=SYSTEM)
            self.retries[cycle.pk] += 1
            self.retried = True

    def turn(self) -> None:
        """Let one thing happen, then look whether every rule still holds."""
        self.before, self.retried = {cycle.pk: cycle for cycle in self.cycles}, False
        kinds = [self.enqueue, self.hold, self.die, self.sweep, self.switch, self.ask, self.ask, self.retry]
        self.pick.choice([*kinds, *[self.work] * 6])()
        for cycle in self.cycles:
            self.check(cycle)
        assert sum(tally.count for tally in CycleTally.objects.filter(engine=self.engine)) == self.ends

    # what must hold

    def check(self, cycle: Cycle) -> None:
        before = self.before.get(cycle.pk)
        if before is not None:
            assert cycle.state in REACH[before.state]
            assert cycle.lease_token >= before.lease_token
            assert self.retried or before.state not in TERMINAL or cycle.state == before.state
            self.ends += before.state not in TERMINAL and cycle.state in TERMINAL
        steps = list(cycle.steps.values_list("name", "state"))
        assert cycle.attempts <= configured.SANDBOX.max_attempts
        check_lease(cycle)
        check_steps(cycle, dict(steps))
        check_effects(cycle, self.retries[cycle.pk])


def check_lease(cycle: Cycle) -> None:
    """Only a running cycle belongs to somebody, and only it carries a wish."""
    held = cycle.state in HELD
    assert bool(cycle.lease_owner) == held
    assert (cycle.lease_until is not None) == held
    assert held or cycle.control == Control.NONE
    ended = cycle.state in TERMINAL
    assert (cycle.finished_at is not None) == ended
    assert (cycle.duration is not None) == (ended and cycle.started_at is not None)


def check_steps(cycle: Cycle, steps: dict[str, str]) -> None:
    """Steps are done in order and counted; of an ended cycle none is open."""
    done = [state == StepState.DONE for state in steps.values()]
    first_open = done.index(False) if False in done else len(done)
    assert not any(done[first_open:]), "a step was done before the one in front of it"
    assert cycle.steps_done == sum(done) + (cycle.state == CycleState.SKIPPED)
    if cycle.state in TERMINAL:
        assert not set(steps.values()) & set(OPEN_STEPS)
    if cycle.state == CycleState.DONE:
        assert all(done)
    if cycle.state not in HELD:
        assert StepState.RUNNING not in steps.values()


def check_effects(cycle: Cycle, retries: int) -> None:
    """Each step's rows were written once, and once more only for a retry; every second of CPU is counted."""
    written = effects(cycle)
    assert all(1 <= count <= 1 + retries for count in written.values())
    assert (cycle.cpu_seconds or 0.0) == pytest.approx(0.5 * sum(written.values()))
    for name in CycleStep.objects.filter(cycle=cycle, state=StepState.DONE).values_list("name", flat=True):
        assert name in written


def fits(act: Callable[..., Cycle], cycle: Cycle) -> bool:
    if act is cancel_cycle:
        return cycle.state not in TERMINAL
    if act is resume_cycle:
        return cycle.state == CycleState.PAUSED
    return cycle.state in ("queued", "running") and cycle.control != Control.CANCEL


def fails(context: StepContext) -> None:
    raise StepFailed("no")


def stumbles(context: StepContext) -> None:
    raise TransientStepError("busy")


def dies(context: StepContext) -> None:
    raise SystemExit


def stops(context: StepContext) -> StepOutcome:
    return StepOutcome(state="skipped", note="nothing changed", stop=True, cpu_seconds=0.5)


def wishes(control: Control) -> Callable[[StepContext], None]:
    def act(context: StepContext) -> None:
        Cycle.objects.filter(pk=context.cycle_id).update(control=control)

    return act


@pytest.mark.parametrize("seed", range(10))
def test_every_order_of_events_keeps_the_rules(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", -1.0)  # a step a turn
    world = World(seed)
    for _ in range(ACTIONS):
        world.turn()
    assert len(world.cycles) >= 1


@pytest.mark.parametrize("seed", range(4))
def test_left_alone_every_cycle_comes_to_its_end(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any history: people, then the sweeper and one worker, leave nothing open."""
    monkeypatch.setattr(runner, "SLICE_SECONDS", -1.0)
    world = World(100 + seed)
    for _ in range(ACTIONS):
        world.turn()
    Engine.objects.filter(pk=world.engine.pk).update(enabled=True)
    for cycle in world.cycles:
        if cycle.state in HELD:
            expire(cycle)
    sweeper.sweep()
    for cycle in world.cycles:
        if cycle.state == CycleState.PAUSED:
            resume_cycle(cycle.pk, actor=SYSTEM)
    monkeypatch.setattr(runner, "SLICE_SECONDS", 60.0)
    Cycle.objects.filter(state=CycleState.QUEUED).update(run_after="2001-01-01T00:00:00Z")
    for _ in range(20):
        for pk in sweeper.sweep():
            run_cycle(pk, owner="last", parts=parts())
    assert {cycle.state for cycle in world.cycles} <= set(map(str, TERMINAL))


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_with_an_old_lease_never_writes(seed: int) -> None:
    """However often a cycle changed hands, only the newest lease beats."""
    pick, cycle = random.Random(seed), queued(make_engine())
    leases: list[Lease] = []
    for _ in range(8):
        if pick.random() < 0.7:
            expire(cycle)
            Cycle.objects.filter(pk=cycle.pk).update(attempts=0)
        if lease := claim(cycle.pk, owner=f"w{len(leases)}"):
            leases.append(lease)
        alive = []
        for lease in leases:
            with suppress(Exception):
                beat(lease)
                alive.append(lease.token)
        assert alive == [leases[-1].token]
    assert [lease.token for lease in leases] == list(range(1, len(leases) + 1))


def test_the_parts_of_this_model_really_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own measure of effects sees a commit that was left out or done twice."""
    cycle = queued(make_engine())
    run_cycle(cycle.pk, owner="w", parts=parts())
    cycle.refresh_from_db()
    check_effects(cycle, 0)
    moving = Does()
    context = StepContext(
        cycle_id=cycle.pk, engine_id=cycle.engine_id, engine_name="x", step="gate", trigger="cli",
        energy=1.0, seed=0, seconds_left=1.0, scratch=runner.scratch_root(), pulse=None,  # type: ignore[arg-type]
    )  # fmt: skip
    moving.commit(context, StepOutcome(state="done"))
    with pytest.raises(AssertionError):
        check_effects(cycle, 0)
