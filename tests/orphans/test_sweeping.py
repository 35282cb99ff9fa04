"""Lost messages, dead workers and folders left behind."""

import datetime as dt
import os
import time
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from orphans import tasks
from orphans.domain.states import BatchState, RunState
from orphans.models import ModuleRun
from orphans.services import sweeping
from orphans.services.leases import claim
from tests.orphans.rows import make_batch, make_run


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    place = sweeping.checkouts()
    place.mkdir(parents=True)
    return place


def make_folder(root: Path, name: str, *, age: float = 0.0) -> Path:
    place = root / name
    (place / "pkg").mkdir(parents=True)
    (place / "pkg" / "a.py").write_text("VALUE = 1\n")
    os.utime(place, (time.time() - age, time.time() - age))
    return place


@pytest.mark.django_db
def test_only_sets_with_something_to_do_are_sent_again(folder: Path) -> None:
    waiting, busy, done = make_batch(total=1), make_batch(total=1), make_batch(state=BatchState.DONE)
    for batch in (waiting, busy, done):
        make_run(batch, state=RunState.QUEUED if batch is not done else RunState.PASSED)
    assert claim(busy.pk, "somebody")

    assert sweeping.sweep() == [waiting.pk]
    ModuleRun.objects.filter(batch=busy).update(lease_until=Now() - dt.timedelta(seconds=1))
    assert sweeping.sweep() == [waiting.pk, busy.pk]


@pytest.mark.django_db
def test_a_set_whose_worker_died_before_closing_it_is_closed(folder: Path) -> None:
    batch = make_batch(total=1, state=BatchState.RUNNING)
    make_run(batch, state=RunState.PASSED, cpu_seconds=0.5)

    assert sweeping.sweep() == []

    batch.refresh_from_db()
    assert (batch.state, batch.passed, batch.cpu_seconds) == (BatchState.DONE, 1, 0.5)


@pytest.mark.django_db
def test_folders_go_with_their_set_or_with_age(folder: Path) -> None:
    active = make_folder(folder, "active", age=10**6)
    ended = make_folder(folder, "ended")
    stale, young = make_folder(folder, "stale", age=10**6), make_folder(folder, "young")
    make_batch(checkout=str(active), state=BatchState.RUNNING, owned_checkout=True)
    make_batch(checkout=str(ended), state=BatchState.DONE, owned_checkout=True)

    assert sweeping.sweep_checkouts() == 2

    assert (active.exists(), young.exists()) == (True, True)
    assert (ended.exists(), stale.exists()) == (False, False)


@pytest.mark.django_db
def test_without_any_folder_there_is_nothing_to_sweep(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "nowhere"

    assert sweeping.sweep_checkouts() == 0


@pytest.mark.django_db
def test_a_task_for_a_set_that_ended_does_nothing() -> None:
    batch = make_batch(state=BatchState.DONE)

    tasks.work_off_self_tests(batch.pk)

    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
