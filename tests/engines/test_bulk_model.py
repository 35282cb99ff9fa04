"""Acts on many cycles and what takes them back: the way there and back leaves everything as it was."""

import random
from typing import Any

import pytest

from engines.domain.cycle import StepContext
from engines.domain.results import SYSTEM
from engines.domain.states import MOVES, TERMINAL, Control, CycleState, StepState
from engines.models import Cycle
from engines.services.bulk import ACTS, BACK, FITS, act_on, begin, put_back, way_back
from engines.services.cycles import run_cycle
from engines.services.leases import claim
from menace_site.models import AuditEntry
from tests.engines.moving import effects, parts, queued
from tests.factories import make_cycle, make_engine

pytestmark = pytest.mark.django_db
STATES = [CycleState.QUEUED, CycleState.PAUSED, CycleState.RUNNING, CycleState.DONE, CycleState.FAILED]


def in_state(state: CycleState) -> Cycle:
    """Make a cycle with all its steps that came to a state as cycles do."""
    cycle = queued(make_engine())
    if state == CycleState.RUNNING:
        assert claim(cycle.pk, owner="w")
    elif state == CycleState.PAUSED:
        Cycle.objects.move(cycle.pk, CycleState.PAUSED)
    elif state == CycleState.DONE:
        run_cycle(cycle.pk, owner="w", parts=parts())
    elif state == CycleState.FAILED:
        Cycle.objects.filter(pk=cycle.pk).update(state="failed", finished_at="2026-01-01T00:00:00Z")
    cycle.refresh_from_db()
    return cycle


def rows(cycles: list[Cycle]) -> list[tuple[int, str]]:
    return [(cycle.pk, cycle.state) for cycle in cycles]


def picture(cycle: Cycle) -> dict[str, Any]:
    """Return everything of a cycle that a person would miss."""
    fields = ("state", "control", "step", "steps_done", "message", "finished_at", "duration", "roi_delta")
    row = Cycle.objects.filter(pk=cycle.pk).values(*fields).get()
    steps = list(cycle.steps.values_list("name", "state", "result", "failures").order_by("position"))
    return {**row, "steps": steps}


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("seed", range(3))
def test_there_and_back_again(act: str, seed: int) -> None:
    pick = random.Random(seed)
    cycles = [in_state(pick.choice(STATES)) for _ in range(6)]
    before = {cycle.pk: picture(cycle) for cycle in cycles}
    tally = act_on(act, rows(cycles), actor=SYSTEM)

    fitting = [cycle.pk for cycle in cycles if cycle.state in FITS[act]]
    assert [pk for pk, _ in tally.done] == fitting
    assert len(tally.refused) == len(cycles) - len(fitting)
    back = way_back(act, tally.done)
    returned = put_back(back, actor=SYSTEM)

    assert returned.refused == ()
    assert [pk for pk, _ in returned.done] == [pk for pk, _ in back]
    for cycle in cycles:
        if cycle.pk in dict(back) or cycle.pk not in fitting:
            assert picture(cycle) == before[cycle.pk]


@pytest.mark.parametrize("act", sorted(ACTS))
def test_what_an_act_fits_agrees_with_the_moves(act: str) -> None:
    goal = {"cancel": CycleState.CANCELLED, "pause": CycleState.PAUSED, "resume": CycleState.QUEUED}[act]
    for state in FITS[act]:
        assert goal in MOVES[state]
    assert not set(FITS[act]) & TERMINAL
    assert {state for name, state in BACK if name == act} <= set(map(str, FITS[act]))


def test_a_running_step_can_not_be_unstopped() -> None:
    cycle = in_state(CycleState.RUNNING)
    tally = act_on("cancel", rows([cycle]), actor=SYSTEM)
    assert tally.done == ((cycle.pk, "running"),)
    assert way_back("cancel", tally.done) == []
    cycle.refresh_from_db()
    assert (cycle.state, cycle.control) == ("running", Control.CANCEL)


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_second_time_an_act_is_refused_with_the_reason(act: str) -> None:
    cycle = in_state(FITS[act][0])
    assert len(act_on(act, rows([cycle]), actor=SYSTEM).done) == 1
    again = act_on(act, rows([cycle]), actor=SYSTEM)
    assert again.done == ()
    assert again.refused[0].startswith(f"cycle {cycle.pk} is ")


def test_what_moved_on_meanwhile_is_left_alone() -> None:
    cycle = in_state(CycleState.PAUSED)
    tally = act_on("resume", rows([cycle]), actor=SYSTEM)
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "done"
    returned = put_back(way_back("resume", tally.done), actor=SYSTEM)
    assert returned.done == ()
    assert "done" in returned.refused[0]
    assert set(effects(cycle).values()) == {1}


def test_a_cancelled_cycle_goes_on_where_it_was() -> None:
    """Half a cycle is done, paused, cancelled, taken back and resumed: no step runs twice."""
    cycle = queued(make_engine())

    def pause(context: StepContext) -> None:
        Cycle.objects.filter(pk=context.cycle_id).update(control="pause")

    assert run_cycle(cycle.pk, owner="w", parts=parts(orphans=pause)) == "paused"
    tally = act_on("cancel", [(cycle.pk, "paused")], actor=SYSTEM)
    assert cycle.steps.filter(state=StepState.CANCELLED).count() == 7
    assert put_back(way_back("cancel", tally.done), actor=SYSTEM).refused == ()
    assert act_on("resume", [(cycle.pk, "paused")], actor=SYSTEM).refused == ()
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "done"
    assert set(effects(cycle).values()) == {1}


def test_each_act_is_written_down_and_so_is_the_whole() -> None:
    cycles = [make_cycle(state="queued") for _ in range(3)]
    begin("cancel", actor=SYSTEM, filtered="state=queued" * 100, total="3")
    act_on("cancel", rows(cycles), actor=SYSTEM)
    told = AuditEntry.objects.order_by("pk").values_list("verb", "target")
    assert list(told) == [("cycles.cancel", "cycles")] + [
        ("cycle.cancel", f"cycle:{cycle.pk}") for cycle in cycles
    ]
    assert len(AuditEntry.objects.earliest("pk").detail["filter"]) == 300


def test_an_unknown_act_is_a_mistake_and_changes_nothing() -> None:
    cycle = make_cycle(state="queued")
    with pytest.raises(KeyError):
        act_on("explode", rows([cycle]), actor=SYSTEM)
    cycle.refresh_from_db()
    assert cycle.state == "queued"
