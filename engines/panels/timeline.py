"""The steps of a cycle as a timeline."""

from typing import Any

from engines.domain.states import StepState
from engines.domain.wording import lasting, word
from engines.models import Cycle, CycleStep

ABOUT = {
    "inspect": "metrics, drift, policy: run or skip",
    "patch": "helper patches on a branch",
    "retrain": "train challengers, compare with the champion",
    "orphans": "discover and self-test modules",
    "evolve": "benchmark workflow variants",
    "measure": "ROI, entropy, synergy",
    "learn": "policy and weights",
    "flag": "alignment flags on the diff",
    "gate": "forecast and decide per candidate",
    "snapshot": "after-snapshot, checkpoint",
}
TAIL_LINES = 200


def steps(cycle: Cycle) -> list[dict[str, Any]]:
    """Return the steps of a cycle in order."""
    return [step_row(step) for step in cycle.steps.all()]


def step_row(step: CycleStep) -> dict[str, Any]:
    """Return what the timeline shows of one step."""
    running = step.state == StepState.RUNNING
    return {
        "name": step.name,
        "about": ABOUT.get(step.name, ""),
        "state": step.state,
        "word": word(step.state),
        "running": running,
        "attempt": step.attempt,
        "failures": step.failures,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "duration": step.duration,
        "lasting": "" if running else lasting(step.duration),
        "progress": step.progress,
        "percent": None if step.progress is None else round(100 * step.progress),
        "note": step.note,
        "cpu": lasting(step.cpu_seconds),
        "log": tail(step.log),
        "log_cut": len(step.log.splitlines()) > TAIL_LINES,
        **_fault(step.error),
    }


def tail(log: str) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.splitlines()[-TAIL_LINES:])


def _fault(error: str) -> dict[str, str]:
    """Return an error as the line that says it and the trace that led there."""
    lines = error.strip().splitlines()
    if len(lines) < 2:
        return {"fault": error.strip(), "trace": ""}
    told = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return {"fault": told, "trace": error.strip()}
