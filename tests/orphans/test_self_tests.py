"""Sets of self-tests: each module once, whoever works, whatever dies."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from orphans.domain.findings import Classification
from orphans.domain.self_test_verdict import Verdict
from orphans.domain.side_effects import side_effects
from orphans.domain.states import BatchState, ModuleState, RunState, TestOrigin
from orphans.domain.tests_of import Tests
from orphans.models import ModuleRun, OrphanModule, OrphanTally, SelfTestRun
from orphans.sandbox import Cancel
from orphans.services import self_tests
from orphans.services.executing import Order, Report
from orphans.services.leases import LEASE_SECONDS, MAX_ATTEMPTS, claim
from orphans.services.self_tests import Wanted, cancel_batch, close, start_batch, work, work_off
from orphans.services.verdict_rows import give_back, write
from orphans.signals import batch_finished, run_finished
from tests.orphans.rows import make_module

pytestmark = pytest.mark.django_db

QUIET = {"file_writes": 0, "network_connections": 0, "subprocesses": 0}


class Says:
    """Executes no code: says of each path what it was told to say, and remembers who was asked."""

    def __init__(self, **said: RunState) -> None:
        self.said = said
        self.asked: list[str] = []
        self.writes = 0

    def __call__(self, order: Order, *, cancel: Cancel | None = None) -> Report:
        self.asked.append(order.path)
        state = self.said.get(Path(order.path).stem, RunState.PASSED)
        if cancel and cancel.is_set():
            state = RunState.CANCELLED
        counts = {**QUIET, "file_writes": self.writes}
        effects = side_effects(counts, order.threshold)
        facts = {**counts, "side_effects": effects.score if effects else None, "coverage": 0.5}
        return Report(verdict=Verdict(state=state, reason=f"said {state}"), effects=effects, facts=facts)


def wanted(*paths: str, **fields: str) -> list[Wanted]:
    tests = Tests(origin=TestOrigin.GENERATED)
    return [
        Wanted(path=path, content_hash="h", module=Path(path).stem, tests=tests, **fields) for path in paths
    ]


def start(*paths: str, source: str = "test") -> SelfTestRun:
    for path in paths:
        if not OrphanModule.objects.filter(path=path).exists():
            make_module(path=path, content_hash="h")
    return start_batch("alpha", wanted(*paths), source=source, checkout=Path("/nowhere"), wake=False)


def states(batch: SelfTestRun) -> dict[str, str]:
    return dict(ModuleRun.objects.filter(batch=batch).values_list("path", "state"))


def tally(name: str) -> int:
    row = OrphanTally.objects.filter(subject="alpha", name=name).first()
    return row.count if row else 0


def test_every_module_gets_its_verdict_and_the_set_ends() -> None:
    batch = start("a.py", "b.py", "c.py")

    ended = work_off(batch.pk, execute=Says(b=RunState.FAILED))

    assert states(batch) == {"a.py": "passed", "b.py": "failed", "c.py": "passed"}
    assert (ended.state, ended.total, ended.passed, ended.failed) == (BatchState.DONE, 3, 2, 1)
    assert OrphanModule.objects.get(path="b.py").state == ModuleState.FAILED
    assert OrphanModule.objects.get(path="a.py").coverage == 0.5
    assert (tally("tested"), tally("failed")) == (3, 1)


def test_the_same_source_queues_nothing_twice() -> None:
    first, second = start("a.py"), start("a.py")

    assert first.pk == second.pk
    assert ModuleRun.objects.count() == 1


def test_two_workers_never_take_the_same_module() -> None:
    batch = start("a.py", "b.py")

    leases = [claim(batch.pk, "one"), claim(batch.pk, "two"), claim(batch.pk, "three")]

    assert leases[0] is not None
    assert leases[1] is not None
    assert leases[0].run_id != leases[1].run_id
    assert leases[2] is None


def test_the_module_of_a_dead_worker_is_taken_over_and_its_late_word_is_refused() -> None:
    batch = start("a.py")
    dead = claim(batch.pk, "dead")
    assert dead is not None
    ModuleRun.objects.update(lease_until=Now() - dt.timedelta(seconds=1))

    work_off(batch.pk, execute=Says())
    row = ModuleRun.objects.get()
    late = write(dead, row, Says(a=RunState.FAILED)(self_tests._order(batch, row)))

    assert late is False
    assert ModuleRun.objects.get().state == RunState.PASSED
    assert (tally("tested"), tally("failed")) == (1, 0)


def test_a_module_that_ends_every_worker_fails_at_last() -> None:
    batch = start("a.py")
    for _ in range(MAX_ATTEMPTS):
        assert claim(batch.pk, "dies")
        ModuleRun.objects.update(lease_until=Now() - dt.timedelta(seconds=1))
    tester = Says()

    work_off(batch.pk, execute=tester)

    row = ModuleRun.objects.get()
    assert (row.state, tester.asked) == (RunState.FAILED, [])
    assert "ended its worker 3 times" in row.reason
    assert OrphanModule.objects.get().state == ModuleState.FAILED


def test_what_is_given_back_waits_again_without_a_mark_against_it() -> None:
    batch = start("a.py")
    lease = claim(batch.pk, "asked to end")
    assert lease is not None

    assert give_back(lease)

    row = ModuleRun.objects.get()
    assert (row.state, row.attempts) == (RunState.QUEUED, 0)


def test_cancelling_ends_what_waits_at_once_and_what_runs_when_it_looks() -> None:
    batch = start("a.py", "b.py", "c.py")
    asked: list[str] = []

    def execute(order: Order, *, cancel: Cancel | None = None) -> Report:
        asked.append(order.path)
        cancel_batch(batch.pk, by="ada")
        return Says()(order, cancel=cancel)

    ended = work_off(batch.pk, execute=execute)

    assert asked == ["a.py"]
    assert set(states(batch).values()) == {"cancelled"}
    assert (ended.state, ended.message) == (BatchState.CANCELLED, "cancelled by ada")
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {ModuleState.FOUND}
    assert cancel_batch(batch.pk) is False


def test_a_stopped_worker_gives_its_module_back_and_leaves_the_set_open() -> None:
    batch = start("a.py")
    stop = threading.Event()

    def execute(order: Order, *, cancel: Cancel | None = None) -> Report:
        stop.set()
        return Says()(order, cancel=cancel)

    ended = work_off(batch.pk, cancel=stop, execute=execute)

    assert states(batch) == {"a.py": "queued"}
    assert ended.state == BatchState.RUNNING


def test_a_heavy_module_is_classified_as_such() -> None:
    batch = start("a.py")
    tester = Says(a=RunState.SKIPPED)
    tester.writes = 11

    work_off(batch.pk, execute=tester)

    row = OrphanModule.objects.get()
    assert (row.classification, row.state, row.side_effects) == ("heavy_side_effects", "skipped", 11)
    assert row.found_as == Classification.ORPHAN
    assert (tally("side_effects"), tally("reclassified")) == (11, 1)


def test_a_verdict_on_old_content_changes_no_module() -> None:
    batch = start("a.py")
    OrphanModule.objects.update(content_hash="other", state=ModuleState.FOUND)

    work_off(batch.pk, execute=Says())

    assert OrphanModule.objects.get().state == ModuleState.FOUND


def test_what_is_not_executed_is_in_the_set_with_its_reason() -> None:
    make_module(path="a.py", content_hash="h")
    tester = Says()

    batch = start_batch(
        "alpha", wanted("a.py", skip="too heavy"), source="s", checkout=Path("/n"), wake=False
    )
    ended = work_off(batch.pk, execute=tester)

    assert (tester.asked, ended.skipped) == ([], 1)
    assert OrphanModule.objects.get().state_reason == "too heavy"


def test_an_empty_set_ends_at_once() -> None:
    ended = work_off(start().pk, execute=Says())

    assert (ended.state, ended.total, ended.passed, ended.cpu_seconds) == (BatchState.DONE, 0, 0, None)


def test_a_slice_of_time_ends_between_modules() -> None:
    batch = start("a.py", "b.py")

    assert work(batch.pk, seconds=0.0, execute=Says()) == 0
    assert close(batch.pk) is False
    assert work(batch.pk, execute=Says()) == 2
    assert close(batch.pk) is True


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Hear the news of self-tests."""
    told: list[str] = []

    def on_run(*, path: str, state: str, **_: object) -> None:
        told.append(f"{path} {state}")

    def on_batch(*, subject: str, state: str, **_: object) -> None:
        told.append(f"{subject} {state}")

    run_finished.connect(on_run)
    batch_finished.connect(on_batch)
    yield told
    run_finished.disconnect(on_run)
    batch_finished.disconnect(on_batch)


def test_news_is_told_once_for_each_module_and_set(heard: list[str]) -> None:
    batch = start("a.py")

    work_off(batch.pk, execute=Says())
    work_off(batch.pk, execute=Says())

    assert heard == ["a.py passed", "alpha done"]


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_set_and_test_each_module_once() -> None:
    batch = start(*(f"m{number}.py" for number in range(20)))
    tester = Says()

    ended = work_off(batch.pk, parallel=4, execute=tester)

    assert sorted(tester.asked) == sorted(states(batch))
    assert (ended.state, ended.passed) == (BatchState.DONE, 20)


def test_a_lease_runs_by_the_clock_of_the_database() -> None:
    batch = start("a.py")
    claim(batch.pk, "one")

    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM lease_until - clock_timestamp()) FROM orphans_modulerun")
        (left,) = cursor.fetchone()

    assert LEASE_SECONDS - 5 < float(left) <= LEASE_SECONDS
