"""Cycles as rows of lists and as the head of their own page."""

from typing import Any

from engines.domain.states import STEPS, TERMINAL, Control, CycleState, Trigger
from engines.domain.wording import lasting, number, sign, signed, word
from engines.models import Cycle, CycleQuerySet
from engines.panels.pills import pills

Panel = dict[str, Any]

ASKED = {Control.PAUSE: "pausing", Control.CANCEL: "cancelling"}
LIST_COLUMNS = (
    "state", "control", "engine__name", "trigger", "energy", "created_at", "started_at", "finished_at",
    "run_after", "duration", "step", "steps_done", "roi_delta", "cost", "requested_label", "message",
)  # fmt: skip


def listed(cycles: CycleQuerySet) -> CycleQuerySet:
    """Return the same cycles with the columns of a list alone."""
    return cycles.select_related("engine").only(*LIST_COLUMNS)


def cycle_row(cycle: Cycle) -> Panel:
    """Return what a list shows of a cycle."""
    return {
        "id": cycle.pk,
        "state": cycle.state,
        "word": ASKED.get(Control(cycle.control), word(cycle.state)),
        "open": cycle.state not in TERMINAL,
        "running": cycle.state == CycleState.RUNNING,
        "engine": cycle.engine.name,
        "trigger": cycle.trigger,
        "energy": number(cycle.energy),
        "created_at": cycle.created_at,
        "started_at": cycle.started_at,
        "finished_at": cycle.finished_at,
        "waits_until": cycle.run_after if cycle.state == CycleState.QUEUED else None,
        "duration": cycle.duration,
        "lasting": lasting(cycle.duration),
        "step": cycle.step,
        "steps_done": min(cycle.steps_done, len(STEPS)),
        "steps_total": len(STEPS),
        "roi_delta": cycle.roi_delta,
        "roi_text": signed(cycle.roi_delta),
        "roi_sign": sign(cycle.roi_delta),
        "cost": cycle.cost,
        "cost_text": number(cycle.cost),
        "who": cycle.requested_label,
        "message": cycle.message,
    }


def cycle_head(cycle: Cycle) -> Panel:
    """Return what the head of a cycle's page shows: the row and what only one cycle needs."""
    return {
        **cycle_row(cycle),
        "seed": cycle.seed,
        "deadline_at": cycle.deadline_at,
        "attempts": cycle.attempts,
        "takeovers": cycle.takeovers,
        "fenced": cycle.fenced,
        "lease_owner": cycle.lease_owner,
        "cpu": lasting(cycle.cpu_seconds),
        "roi_gain": signed(cycle.roi_gain),
        "value_text": number(cycle.value),
        "ema": signed(cycle.roi_delta_ema),
        "momentum": number(cycle.momentum, 3),
        "slot": cycle.slot,
    }


def state_pills(cycles: CycleQuerySet, chosen: tuple[str, ...] = ()) -> list[Panel]:
    """Return each state with the number of its cycles."""
    return pills(cycles, {str(state): (str(state),) for state in CycleState}, chosen)


def neighbours(cycle: Cycle, cycles: CycleQuerySet) -> Panel:
    """Return the ids of the engine's cycles before and after this one."""
    same = cycles.filter(engine=cycle.engine_id)
    earlier = same.filter(pk__lt=cycle.pk).order_by("-pk").values_list("pk", flat=True).first()
    later = same.filter(pk__gt=cycle.pk).order_by("pk").values_list("pk", flat=True).first()
    return {"earlier": earlier, "later": later}


def triggers() -> list[str]:
    """Return the known triggers."""
    return [str(trigger) for trigger in Trigger]
