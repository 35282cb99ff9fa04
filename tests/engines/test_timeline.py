"""The steps of a cycle as a timeline: what each says of itself, and the end of its log."""

import pytest

from engines.domain.errors import MenaceError
from engines.domain.states import STEPS, StepState
from engines.models import CycleStep
from engines.panels.timeline import ABOUT, TAIL_LINES, step_row, steps, tail
from tests.factories import make_cycle, make_steps


def row(**fields: object) -> dict[str, object]:
    return step_row(CycleStep(name="retrain", **{"state": StepState.DONE, **fields}))


def trace(error: Exception) -> str:
    return f'Traceback (most recent call last):\n  File "x.py", line 1\n{type(error).__name__}: {error}\n'


def test_every_step_says_what_it_is_about() -> None:
    assert set(ABOUT) == set(STEPS)
    assert step_row(CycleStep(name="of newer code", state="done"))["about"] == ""


@pytest.mark.parametrize(
    ("progress", "percent"), [(None, None), (0.0, 0), (0.004, 0), (0.5, 50), (0.996, 100), (1.0, 100)]
)
def test_progress_is_told_in_percent_and_what_is_unknown_is_not_zero(
    progress: float | None, percent: int | None
) -> None:
    assert row(progress=progress)["percent"] == percent


def test_a_running_step_has_no_duration_yet() -> None:
    assert row(state=StepState.RUNNING, duration=60.0)["lasting"] == ""
    assert row(duration=60.0)["lasting"] == "1 m"
    assert row(duration=None)["lasting"] == ""


@pytest.mark.parametrize(
    ("lines", "end", "cut"),
    [
        (0, "", False),
        (TAIL_LINES, "\n", False),
        (TAIL_LINES, "", False),
        (TAIL_LINES + 1, "", True),
        (TAIL_LINES + 1, "\n", True),
        (5 * TAIL_LINES, "\n", True),
    ],
)
def test_a_log_that_is_cut_says_so(lines: int, end: str, cut: bool) -> None:
    log = "\n".join(f"line {number}" for number in range(lines)) + end
    found = row(log=log)
    assert found["log_cut"] == cut
    assert str(found["log"]).splitlines() == log.splitlines()[-TAIL_LINES:]


def test_lines_that_end_otherwise_are_counted_as_they_are_shown() -> None:
    log = "\r".join("x" for _ in range(TAIL_LINES + 5))
    assert row(log=log)["log_cut"]
    assert tail(log).count("\n") == TAIL_LINES - 1


@pytest.mark.parametrize(
    ("error", "fault", "has_trace"),
    [
        ("", "", False),
        ("  no data  \n", "no data", False),
        (trace(ValueError("no data")), "ValueError: no data", True),
        ("the pipeline failed\nand said why", "the pipeline failed", True),
        (trace(MenaceError("field: why")), "MenaceError: field: why", True),
    ],
)
def test_an_error_is_the_line_that_says_it_and_the_trace_behind(
    error: str, fault: str, has_trace: bool
) -> None:
    found = row(error=error)
    assert found["fault"] == fault
    assert bool(found["trace"]) == has_trace
    assert found["trace"] in ("", error.strip())


@pytest.mark.django_db
def test_the_steps_of_a_cycle_come_in_their_order() -> None:
    cycle = make_cycle(state="running")
    make_steps(cycle, done=3)
    make_steps(make_cycle())
    found = steps(cycle)
    assert [each["name"] for each in found] == list(STEPS)
    assert [each["state"] for each in found] == ["done"] * 3 + ["pending"] * (len(STEPS) - 3)
