"""Celery's tasks of self-tests: an id in, one service, and a broker that is away ends nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from orphans import tasks
from orphans.domain.states import BatchState
from orphans.models import SelfTestRun
from orphans.services import self_tests
from orphans.signals import batch_queued
from tests.orphans.rows import make_batch, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids that workers were sent."""
    found: list[int] = []
    monkeypatch.setattr(tasks.work_off_self_tests, "apply_async", lambda words, retry: found.append(words[0]))
    return found


def working(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[dict[str, Any]]:
    """Let a worker's slice of time do this; return what each was asked with."""
    asked: list[dict[str, Any]] = []

    def work(batch_id: int, **words: Any) -> None:
        asked.append({"batch": batch_id, **words})
        act(batch_id)

    monkeypatch.setattr(self_tests, "work", work)
    return asked


def finish(batch_id: int) -> None:
    SelfTestRun.objects.get(pk=batch_id).runs.update(state="passed")


def test_a_set_with_more_to_do_is_sent_on_after_a_slice(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(total=1)
    make_run(batch)
    asked = working(monkeypatch, lambda _: None)
    tasks.work_off_self_tests(batch.pk)
    assert sent == [batch.pk]
    assert (asked[0]["batch"], asked[0]["seconds"]) == (batch.pk, tasks.SLICE_SECONDS)
    assert ":" in asked[0]["owner"], "host and process"


def test_a_set_that_is_done_is_closed_and_not_sent_on(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(total=1)
    make_run(batch)
    working(monkeypatch, finish)
    tasks.work_off_self_tests(batch.pk)
    batch.refresh_from_db()
    assert sent == []
    assert batch.state == BatchState.DONE


def test_a_set_whose_last_run_is_with_another_worker_is_left_to_it(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(total=1)
    make_run(batch, state="running", lease_owner="other", lease_until="2099-01-01T00:00:00Z")
    working(monkeypatch, lambda _: None)
    tasks.work_off_self_tests(batch.pk)
    assert sent == []


@pytest.mark.parametrize("batch_id", [0, 10**9])
def test_a_forged_id_does_nothing(sent: list[int], batch_id: int) -> None:
    tasks.work_off_self_tests(batch_id)
    assert sent == []
    assert not SelfTestRun.objects.exists()


@pytest.mark.parametrize("error", [OperationalError("refused"), ConnectionRefusedError("refused")])
def test_a_broker_that_is_away_is_told_once_and_raises_nothing(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(tasks.work_off_self_tests, "apply_async", away)
    tasks.wake(7, workers=4)
    assert caplog.messages == ["self-tests 7: broker away; the sweep will send them later"]


def test_another_error_of_sending_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("no such argument")

    monkeypatch.setattr(tasks.work_off_self_tests, "apply_async", broken)
    with pytest.raises(TypeError):
        tasks.wake(7)


def test_the_sweep_sends_what_waits(sent: list[int]) -> None:
    waiting, done = make_batch(total=1), make_batch(state=BatchState.DONE)
    make_run(waiting)
    make_run(done, state="passed")
    tasks.sweep_self_tests()
    assert sent == [waiting.pk]


def test_workers_are_woken_after_the_commit_as_many_as_may_work(
    sent: list[int], settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"discovery_workers": 3})
    with django_capture_on_commit_callbacks(execute=True):
        batch_queued.send(sender=SelfTestRun, batch_id=7, wake=True)
        assert sent == [], "the rows can't be seen yet"
    assert sent == [7, 7, 7]


def test_whoever_works_a_set_off_alone_wakes_nobody(
    sent: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        batch_queued.send(sender=SelfTestRun, batch_id=7, wake=False)
    assert sent == []
