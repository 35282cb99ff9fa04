"""Servers, clocks and files that fail under running cycles: pages answer, nothing is lost or done twice."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from redis import Redis

from engines.git.reading import head
from engines.git.writing import NewCommit, create, update_ref
from engines.models import Cycle
from engines.services import state_file
from menace_site.testing.workers import BeatFactory, process_environment
from tests.engines.moving import step_of
from tests.factories import make_engine, make_user
from tests.faults.fixtures import stage
from tests.faults.stage import ONCE, Stage, effects, row, swept
from tests.waiting import until
from tests.web.conftest import client_of

__all__ = ["stage"]

PAGE_SECONDS = 3.0
HEAL_SECONDS = 10.0


@pytest.fixture
def person(db: None) -> Client:
    """An operator's browser that gets error pages instead of exceptions."""
    client = client_of(make_user("operator"))
    client.raise_request_exception = False
    return client


def click_run(person: Client) -> tuple[Cycle, str, float]:
    """Click "run" on a new engine; return the cycle, the page after it and the slower answer's seconds."""
    engine = make_engine()
    begin = time.monotonic()
    sent = person.post(f"/engines/{engine.name}/trigger/", {"energy": "1"})
    between = time.monotonic()
    page = person.get(sent["Location"])
    assert page.status_code == 200
    slower = max(between - begin, time.monotonic() - between)
    return Cycle.objects.get(engine=engine), page.content.decode(), slower


def test_row_7_ten_kills_of_the_broker_lose_no_cycle(stage: Stage) -> None:
    stage.worker()
    cycles = [stage.cycle({"*": {"do": "work", "seconds": 0.2}}) for _ in range(3)]
    for number in range(10):
        stage.restart_broker()
        until(partial(more_effects, cycles, than=number), 20)
    assert stage.finish(*cycles) == ["done"] * 3
    assert [effects(cycle) for cycle in cycles] == [ONCE] * 3
    following = stage.cycle()
    assert stage.finish(following, seconds=20) == ["done"]


def more_effects(cycles: list[Cycle], *, than: int) -> bool:
    """Tell whether more steps of all the cycles are done: they go on without a broker."""
    return sum(sum(effects(cycle).values()) for cycle in cycles) > than


@pytest.mark.parametrize("fault", ["down", "frozen", "full"])
def test_rows_8_and_9_a_click_on_run_is_answered_and_kept_without_a_broker(
    stage: Stage, person: Client, fault: str
) -> None:
    assert person.get("/").status_code == 200
    valkey = stage.servers.valkey
    assert valkey.process is not None
    if fault == "down":
        valkey.kill9()
    elif fault == "frozen":
        os.kill(valkey.process.pid, signal.SIGSTOP)
    else:
        _set_memory("1mb")
    cycle, page, seconds = click_run(person)
    if fault == "frozen":
        os.kill(valkey.process.pid, signal.SIGCONT)
    elif fault == "full":
        _set_memory("256mb")
    assert seconds <= PAGE_SECONDS
    assert "broker is away" in page
    stage.servers.restart_fallen()
    stage.worker()
    assert stage.finish(cycle) == ["done"]


def answers(person: Client, path: str) -> bool:
    """Tell whether a page is there again."""
    connection.close()
    return person.get(path).status_code == 200


def _set_memory(limit: str) -> None:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.config_set("maxmemory", limit)


def test_row_10_three_restarts_of_the_database_lose_nothing_and_pages_say_503(
    stage: Stage, person: Client
) -> None:
    stage.worker()
    cycle = stage.cycle({"*": {"do": "work", "seconds": 0.5}})
    for step in ("patch", "evolve"):
        stage.started(cycle, step)
        stage.restart_database()
    stage.started(cycle, "learn")
    stage.servers.postgres.stop(signal.SIGQUIT)
    answer = person.get("/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    stage.servers.restart_fallen()
    until(partial(answers, person, "/"), HEAL_SECONDS)
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE


def test_row_11_used_up_connections_give_503_and_heal(stage: Stage, person: Client) -> None:
    taken = []
    connection.close()
    facts = connection.get_connection_params()
    facts.pop("cursor_factory", None)
    facts.pop("context", None)
    try:
        while True:
            taken.append(psycopg.connect(**facts))
    except psycopg.OperationalError:
        begin = time.monotonic()
        answer = person.get("/cycles/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert time.monotonic() - begin <= PAGE_SECONDS
    for one in taken:
        one.close()
    until(partial(answers, person, "/cycles/"), HEAL_SECONDS)


def test_row_12_a_cut_connection_repeats_the_step_once(stage: Stage) -> None:
    stage.worker()
    cycle = stage.held()
    stage.started(cycle)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    stage.open_gate()
    assert stage.finish(cycle) == ["done"]
    assert effects(cycle) == ONCE
    assert (step_of(cycle, "retrain").attempt, row(cycle).lease_token) == (2, 1)


def test_row_14_workers_two_hours_ahead_and_behind_take_nothing_from_each_other(
    stage: Stage, beat_process: BeatFactory
) -> None:
    for skew in ("7200", "-7200"):
        path = str(Path(__file__).parents[1] / "faults" / "skewed")
        stage.worker(env={"CLOCK_SKEW": skew, "PYTHONPATH": path})
    beat_process(env=stage.env)
    cycles = [stage.cycle({"*": {"do": "work", "seconds": 0.3}}, wake=False) for _ in range(4)]
    until(lambda: all(row(cycle).state == "done" for cycle in cycles))
    assert [effects(cycle) for cycle in cycles] == [ONCE] * 4
    assert {(row(cycle).takeovers, row(cycle).lease_token) for cycle in cycles} == {(0, 1)}
    assert all(0 < (row(cycle).duration or 0) < 60 for cycle in cycles)


WRITE_FOR_EVER = """
import django
django.setup()
from engines.models import Engine
from engines.services.state_file import export_state
engine = Engine.objects.get(name="torn")
print("writing", flush=True)
while True:
    export_state(engine)
"""


def test_row_15_a_writer_killed_in_the_act_leaves_a_whole_state_file(stage: Stage, tmp_path: Path) -> None:
    history = [{"cycle": n, "delta": 0.5, "success": True, "ema": 0.5} for n in range(50)]
    engine = make_engine("torn", state_path=str(tmp_path / "state.json"), roi_history=history)
    for number in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER],
            env=process_environment(),
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(0.05 * number)  # another place in the loop each time
        writer.kill()
        writer.communicate()
    assert state_file.import_state(engine)
    assert len(engine.roi_history) == 50


def test_row_16_a_lock_of_a_killed_git_is_cleared_and_the_base_branch_stays(tmp_path: Path) -> None:
    commits = [
        NewCommit(message=name, author="Ada", at="2026-01-01T00:00:00+00:00", files={"a.py": name.encode()})
        for name in ("one", "two")
    ]
    last = create(tmp_path / "bot", commits)
    lock = tmp_path / "bot" / ".git" / "refs" / "heads" / "cycle-1.lock"
    script = f"open({str(lock)!r}, 'x'); print('locked', flush=True); import time; time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    holder.kill()
    holder.communicate()
    os.utime(lock, (1, 1))
    update_ref(tmp_path / "bot", "cycle-1", last, None)
    assert not lock.exists()
    assert head(tmp_path / "bot") == last


def test_row_17_two_beats_queue_one_cycle_for_a_slot(stage: Stage, beat_process: BeatFactory) -> None:
    stage.worker()
    engine = make_engine(schedule_seconds=3600, next_due_at="2001-01-01T00:00:00Z")
    beat_process(env=stage.env)
    beat_process(env=stage.env)
    until(lambda: swept() and Cycle.objects.filter(engine=engine, state="done").exists())
    cycle = Cycle.objects.get(engine=engine)
    assert effects(cycle) == ONCE
