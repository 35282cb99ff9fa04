"""What people, programs and the schedule do to cycles. Every act is checked, atomic and audited."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from engines.domain.energy import checked
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import Actor
from engines.domain.states import STEPS, TERMINAL, Control, CycleState, StepState, Trigger
from engines.models import Cycle, CycleStep, Engine
from engines.services import endings
from engines.services.runner import run_cycle
from engines.signals import acted, cycle_queued

__all__ = ["cancel_cycle", "enqueue_cycle", "pause_cycle", "resume_cycle", "retry_cycle", "run_cycle"]

MAX_QUEUED = 50
MEASURED_UP_TO = STEPS.index("measure")


def enqueue_cycle(
    engine: Engine,
    *,
    trigger: Trigger,
    energy: float,
    actor: Actor,
    slot: int | None = None,
    seed: int | None = None,
    wake: bool = True,
) -> Cycle:
    """Queue a cycle of the engine and wake a worker (unless `wake` is False: the caller runs it).

    `seed` drives the search. By default a cycle that was asked for takes the engine's seed, so that it can
    be repeated exactly, and a scheduled one takes another each time, so that the search goes on.

    Raises InvalidInput for an energy out of range, and Conflict when the engine is switched off or has
    too many cycles waiting.
    """
    energy = checked(energy)
    with transaction.atomic():
        locked = Engine.objects.select_for_update(no_key=True).get(pk=engine.pk)
        _refuse_when_unfit(locked)
        cycle = Cycle.objects.create(
            engine=locked,
            trigger=trigger,
            energy=energy,
            seed=_seed(locked, trigger) if seed is None else check_seed(seed),
            slot=slot,
            requested_by_id=actor.user_id,
            requested_label=actor.label[:150],
            step=STEPS[0],
        )
        CycleStep.objects.bulk_create(
            CycleStep(cycle=cycle, name=name, position=position) for position, name in enumerate(STEPS)
        )
        _audit(actor, "cycle.trigger", cycle, energy=energy, trigger=str(trigger))
        cycle_queued.send(sender=Cycle, cycle=cycle, wake=wake)
    return cycle


def check_seed(seed: int) -> int:
    """Return the seed; InvalidInput unless it is a whole number from 0 to 2^31 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise InvalidInput(f"seed must be a whole number from 0 to {2**31 - 1}, not {seed!r}", field="seed")
    return seed


def _seed(engine: Engine, trigger: Trigger) -> int:
    return engine.seed + engine.decisions_made if trigger == Trigger.SCHEDULE else engine.seed


def _refuse_when_unfit(engine: Engine) -> None:
    if not engine.enabled:
        raise Conflict(f"engine {engine.name} is switched off; switch it on first")
    waiting = Cycle.objects.filter(engine=engine, state=CycleState.QUEUED).values_list("id")[:MAX_QUEUED]
    if len(waiting) == MAX_QUEUED:
        raise Conflict(f"engine {engine.name} has {MAX_QUEUED} cycles waiting already; cancel some or wait")


def cancel_cycle(cycle_id: int, *, actor: Actor) -> Cycle:
    """Cancel: a waiting or paused cycle at once, a running one as soon as its step was stopped."""
    with transaction.atomic():
        cycle = _locked(cycle_id)
        if cycle.is_terminal:
            raise Conflict(f"cycle {cycle_id} is {cycle.state} already; nothing to cancel")
        if cycle.state == CycleState.RUNNING:
            Cycle.objects.filter(pk=cycle_id).update(control=Control.CANCEL)
        else:
            endings.end(cycle_id, CycleState.CANCELLED, f"cancelled by {actor.label}")
        _audit(actor, "cycle.cancel", cycle, was=cycle.state)
    cycle.refresh_from_db()
    return cycle


def pause_cycle(cycle_id: int, *, actor: Actor) -> Cycle:
    """Pause: a waiting cycle at once, a running one once its step was stopped; it starts anew later."""
    with transaction.atomic():
        cycle = _locked(cycle_id)
        if cycle.state not in (CycleState.QUEUED, CycleState.RUNNING) or cycle.control == Control.CANCEL:
            raise Conflict(f"cycle {cycle_id} is {cycle.state}; only a queued or running cycle can be paused")
        if cycle.state == CycleState.RUNNING:
            Cycle.objects.filter(pk=cycle_id).update(control=Control.PAUSE)
        else:
            Cycle.objects.move(cycle_id, CycleState.PAUSED)
        _audit(actor, "cycle.pause", cycle, was=cycle.state)
    cycle.refresh_from_db()
    return cycle


def resume_cycle(cycle_id: int, *, actor: Actor) -> Cycle:
    """Queue a paused cycle again; it goes on with the step where it stopped, and its deadline starts anew."""
    with transaction.atomic():
        cycle = _locked(cycle_id)
        if cycle.state != CycleState.PAUSED:
            raise Conflict(f"cycle {cycle_id} is {cycle.state}; only a paused cycle can be resumed")
        _requeue(cycle, actor, "cycle.resume", deadline_at=None)
    return cycle


def retry_cycle(cycle_id: int, *, from_step: str, actor: Actor) -> Cycle:
    """Queue an ended cycle again from `from_step`; the steps before keep their results.

    Raises InvalidInput for an unknown step, and Conflict when the cycle hasn't ended, a step before
    `from_step` has no result, or a later cycle of the engine already built on this one's ROI.
    """
    if from_step not in STEPS:
        raise InvalidInput(f"{from_step!r} is no step; one of {', '.join(STEPS)}", field="from_step")
    with transaction.atomic():
        cycle = _locked(cycle_id)
        position = STEPS.index(from_step)
        _refuse_retry(cycle, position)
        CycleStep.objects.filter(cycle=cycle, position__gte=position).update(
            state=StepState.PENDING,
            failures=0,
            progress=None,
            result={},
            error="",
            log="",
            note="",
            duration=None,
        )
        fresh = {
            "finished_at": None,
            "duration": None,
            "deadline_at": None,
            "message": "",
            "steps_done": position,
        }
        if cycle.requested_by_id is None and actor.user_id is not None:
            # what comes of it is this person's request, as far as a second person has to decide on it
            fresh |= {"requested_by_id": actor.user_id, "requested_label": actor.label[:150]}
        _requeue(cycle, actor, "cycle.retry", step=from_step, **fresh)
    return cycle


def _refuse_retry(cycle: Cycle, position: int) -> None:
    if cycle.state not in TERMINAL:
        raise Conflict(f"cycle {cycle.pk} is {cycle.state}; only an ended cycle can be retried")
    unfinished = cycle.steps.filter(position__lt=position).exclude(
        state__in=[StepState.DONE, StepState.NOT_CONFIGURED]
    )
    if first := unfinished.first():
        raise Conflict(
            f"step {first.name} of cycle {cycle.pk} is {first.state}; retry from it or an earlier one"
        )
    later = Cycle.objects.filter(engine=cycle.engine_id, id__gt=cycle.pk, roi_delta__isnull=False)
    if position <= MEASURED_UP_TO and later.exists():
        raise Conflict(f"a later cycle was measured since cycle {cycle.pk}; trigger a new cycle instead")


def _requeue(cycle: Cycle, actor: Actor, verb: str, **fields: Any) -> None:
    was = cycle.state
    moved = Cycle.objects.move(
        cycle.pk, CycleState.QUEUED, run_after=Now(), attempts=0, control=Control.NONE, **fields
    )
    if not moved:
        raise Conflict(f"cycle {cycle.pk} is {was}; it can't be queued from there")
    cycle.refresh_from_db()
    _audit(actor, verb, cycle, was=was, **({"from_step": cycle.step} if verb == "cycle.retry" else {}))
    cycle_queued.send(sender=Cycle, cycle=cycle, wake=True)


def _locked(cycle_id: int) -> Cycle:
    return Cycle.objects.select_for_update(of=("self",)).select_related("engine").get(pk=cycle_id)


def _audit(actor: Actor, verb: str, cycle: Cycle, **detail: Any) -> None:
    target = f"cycle:{cycle.pk}"
    acted.send(
        sender=Cycle, actor=actor, verb=verb, target=target, detail={"engine": cycle.engine.name, **detail}
    )
