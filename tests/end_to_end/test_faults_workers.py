"""Workers that are killed, hang, freeze or are asked to end: no cycle is lost, no effect comes twice."""

import signal
import time

import pytest

from engines.models import Cycle
from engines.tasks import run_cycle
from tests.engines.moving import step_of
from tests.faults.fixtures import stage
from tests.faults.stage import ONCE, TAKEOVER, Stage, effects, kill, row, swept
from tests.waiting import alive, until

__all__ = ["stage"]


def test_row_1_a_killed_worker_s_cycles_finish_elsewhere_with_each_effect_once(stage: Stage) -> None:
    first = stage.worker(concurrency=4)
    cycles = [stage.held(step) for step in ("inspect", "retrain", "measure", "snapshot")]
    for cycle in cycles:
        stage.started(cycle, cycle.engine.manifest.popitem()[0])
    first.kill9()
    killed = time.monotonic()
    stage.open_gate()
    stage.worker(concurrency=2)
    assert stage.finish(*cycles) == ["done"] * 4
    assert time.monotonic() - killed <= TAKEOVER
    assert [effects(cycle) for cycle in cycles] == [ONCE] * 4
    assert {row(cycle).takeovers for cycle in cycles} == {1}


def test_row_2_a_killed_child_and_one_without_memory_are_tried_again(stage: Stage) -> None:
    stage.worker()
    cycle = stage.held()
    greedy = stage.cycle({"retrain": {"do": "memory", "times": 1}})
    kill(stage.started(cycle))
    stage.open_gate()
    assert stage.finish(cycle, greedy) == ["done", "done"]
    assert effects(cycle) == effects(greedy) == ONCE
    assert step_of(cycle, "retrain").attempt == step_of(greedy, "retrain").attempt == 2


def test_row_3_a_cycle_that_kills_its_workers_is_quarantined_and_the_queue_goes_on(stage: Stage) -> None:
    stage.worker()
    poison = stage.cycle({"retrain": {"do": "kill"}})
    following = stage.cycle(engine=poison.engine)
    Cycle.objects.filter(pk=following.pk).update(step="orphans")  # behind the poisoned step
    assert stage.finish(poison, following) == ["quarantined", "done"]
    assert len(stage.starts(poison, "retrain")) == 3
    assert "died 3 times in a row at step retrain" in row(poison).message


def test_row_4_a_worker_that_hangs_in_c_loses_its_cycle_and_is_killed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"time_limit": 6, "soft_time_limit": 5, "_exec_options": None}  # they travel with the message
    for name, value in limits.items():
        monkeypatch.setattr(run_cycle, name, value)
    stage.worker()
    cycle = stage.cycle({"retrain": {"do": "hang", "times": 1}})
    hung = stage.started(cycle)
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE
    until(lambda: not alive(hung))


@pytest.mark.parametrize("group", [False, True], ids=["main", "group"])
def test_row_5_a_worker_asked_to_end_hands_its_cycle_back_at_once(stage: Stage, group: bool) -> None:
    first = stage.worker()
    cycle = stage.held()
    stage.started(cycle)
    first.term(group=group)
    first.wait(20)
    until(lambda: row(cycle).state == "queued", 5 if not group else TAKEOVER)
    assert row(cycle).attempts == 0
    stage.open_gate()
    stage.worker()
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE
    assert row(cycle).takeovers == 0


def test_row_5_a_cold_shutdown_ends_too_and_loses_nothing(stage: Stage) -> None:
    first = stage.worker()
    cycle = stage.held()
    stage.started(cycle)
    first.process.send_signal(signal.SIGQUIT)
    first.wait(20)
    stage.open_gate()
    stage.worker()
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE


def test_row_6_a_frozen_worker_that_wakes_up_late_writes_nothing(stage: Stage) -> None:
    zombie = stage.worker()
    cycle = stage.held()
    stage.started(cycle)
    zombie.freeze()
    stage.worker()
    until(lambda: swept() and len(stage.starts(cycle, "retrain")) == 2, TAKEOVER)
    stage.open_gate()
    assert stage.finish(cycle) == ["done"]
    zombie.thaw()
    until(lambda: row(cycle).fenced == 1)
    assert effects(cycle) == ONCE
    assert row(cycle).lease_token == 2
    made = (stage.root / "faults" / "made.log").read_text().splitlines()
    assert made.count(f"{cycle.pk} retrain") == 1


def test_row_18_fifty_deliveries_make_one_run(stage: Stage) -> None:
    cycle = stage.held()
    for _ in range(50):
        run_cycle.delay(cycle.pk)
    stage.worker()
    stage.started(cycle)
    stage.open_gate()
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE
    assert (row(cycle).lease_token, len(stage.starts(cycle, "inspect"))) == (1, 1)


def test_row_22_old_and_new_code_beside_each_other_finish_every_cycle(stage: Stage) -> None:
    old = stage.worker(env={"FAULTS_UNKNOWN": "gate"})
    cycles = [stage.cycle() for _ in range(3)]
    until(lambda: all(row(cycle).step == "gate" and row(cycle).state == "queued" for cycle in cycles))
    assert "knows this step" in step_of(cycles[0], "gate").note
    stage.worker()
    assert old.running()
    assert stage.finish(*cycles) == ["done"] * 3
    assert [effects(cycle) for cycle in cycles] == [ONCE] * 3
