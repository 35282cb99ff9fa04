"""Signs of life: one row a process, kept young, gone with an orderly end, never in the way."""

import logging

import pytest
from celery.signals import beat_init, worker_ready, worker_shutdown
from django.db import OperationalError

from menace_site import beats, health
from menace_site.beats import Pulse
from menace_site.models import ServiceBeat
from tests.factories import make_beat
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    """As much of a worker as the signal carries."""

    class pool:  # noqa: N801 - an attribute of Celery's consumer
        num_processes = 3


def test_a_process_is_there_until_it_ends() -> None:
    pulse = Pulse("worker", every=60, processes=2)
    pulse.start()
    until(ServiceBeat.objects.filter(name=pulse.name).exists)
    row = ServiceBeat.objects.get()
    assert (row.service, row.detail) == ("worker", {"every": 60, "processes": 2})
    assert health.live_services()["worker"].processes == 2
    pulse.stop()
    assert not ServiceBeat.objects.exists()


def test_each_beat_makes_the_one_row_younger() -> None:
    pulse = Pulse("beat", every=0.02)
    pulse.start()
    until(ServiceBeat.objects.exists)
    first = ServiceBeat.objects.get().at
    until(lambda: ServiceBeat.objects.get().at > first)
    assert ServiceBeat.objects.count() == 1
    pulse.stop()


def test_rows_of_processes_that_died_long_ago_are_forgotten() -> None:
    make_beat(age=3601, name="long:gone")
    make_beat(age=3000, name="not:long")
    pulse = Pulse("beat", every=60)
    pulse._beat()
    assert set(ServiceBeat.objects.values_list("name", flat=True)) == {"not:long", pulse.name}


def test_celery_begins_and_ends_it() -> None:
    worker_ready.send(sender=Worker())
    until(ServiceBeat.objects.filter(service="worker").exists)
    assert ServiceBeat.objects.get().detail["processes"] == 3
    worker_shutdown.send(sender=None)
    assert not ServiceBeat.objects.exists()
    beat_init.send(sender=None)
    until(ServiceBeat.objects.filter(service="beat").exists)
    beats.end()
    assert not ServiceBeat.objects.exists()
    beats.end()


def test_a_database_that_is_away_is_told_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    pulse, answers = Pulse("worker", every=60), iter([False, False, True, False])

    def write() -> None:
        if not next(answers):
            raise OperationalError("gone")

    with caplog.at_level(logging.WARNING, "menace_site.beats"):
        told = []
        for _ in range(4):
            pulse._try(write)
            told.append(len(caplog.records))
    assert told == [1, 1, 1, 2]


@pytest.mark.parametrize(("age", "live"), [(0, True), (11.5, True), (12.5, False), (3000, False)])
def test_four_missed_beats_are_the_end(age: float, live: bool) -> None:
    make_beat("worker", age=age, detail={"every": 3, "processes": 1})
    assert ("worker" in health.live_services()) is live


def test_rows_of_older_code_count_with_usual_numbers() -> None:
    make_beat("worker", age=19, detail={})
    make_beat("worker", age=1, detail={"processes": 4})
    found = health.live_services()["worker"]
    assert (found.count, found.processes) == (2, 5)
    assert 0.9 < found.age < 5
