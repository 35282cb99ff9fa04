"""Health and signs of life, with real processes where it matters."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from menace_site import health
from menace_site.beats import Pulse
from menace_site.models import ServiceBeat
from menace_site.testing.workers import BeatFactory, WorkerFactory
from tests.factories import make_beat
from tests.waiting import until

BEATING = {"every": 3.0, "processes": 2}


def test_all_ready(client: Client, db: None) -> None:
    make_beat("worker", detail=BEATING)
    make_beat("beat", detail=BEATING)
    answer = client.get("/health")
    assert answer.status_code == 200
    parts = answer.json()
    assert parts["ready"] is True
    assert {name for name in parts if name != "ready"} == {
        "web", "database", "broker", "workers", "beat", "version"
    }  # fmt: skip
    assert parts["workers"]["detail"] == "1 running with 2 processes"
    assert 0 <= parts["workers"]["age"] < 5


@pytest.mark.parametrize("missing", ["worker", "beat"])
def test_not_ready_without(client: Client, db: None, missing: str) -> None:
    make_beat({"worker": "beat", "beat": "worker"}[missing], detail=BEATING)
    answer = client.get("/health")
    part = answer.json()[{"worker": "workers", "beat": "beat"}[missing]]
    assert answer.status_code == 503
    assert (part["ok"], part["age"]) == (False, None)


def test_an_old_sign_of_life_does_not_count(client: Client, db: None) -> None:
    make_beat("worker", age=13.0, detail=BEATING)
    make_beat("beat", age=11.0, detail=BEATING)
    parts = client.get("/health").json()
    assert (parts["workers"]["ok"], parts["beat"]["ok"]) == (False, True)


def test_health_is_cheap_and_public(client: Client, db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/health")
    assert len(queries) <= 2
    assert "Location" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


def test_only_reading_is_allowed(client: Client, db: None) -> None:
    assert client.post("/health").status_code == 405


def test_frozen_broker_is_reported_soon(client: Client, db: None, frozen_valkey: None) -> None:
    began = time.monotonic()
    answer = client.get("/health")
    assert time.monotonic() - began < 2.0
    assert answer.status_code == 503
    assert answer.json()["broker"] == {"ok": False, "detail": "Redis does not answer (TimeoutError)"}


def test_state_is_kept_for_two_seconds(db: None) -> None:
    health._kept["until"] = float("-inf")
    assert health.state()["workers"]["ok"] is False
    make_beat("worker", detail=BEATING)
    assert health.state()["workers"]["ok"] is False
    health._kept["until"] = float("-inf")
    assert health.state()["workers"]["ok"] is True


def test_pulse_writes_and_takes_its_row_away(transactional_db: None) -> None:
    pulse = Pulse("worker", every=0.05, processes=4)
    pulse.start()
    until(lambda: ServiceBeat.objects.filter(name=pulse.name).exists())
    first = ServiceBeat.objects.get(name=pulse.name)
    until(lambda: ServiceBeat.objects.get(name=pulse.name).at > first.at)
    assert first.detail == {"every": 0.05, "processes": 4}
    pulse.stop()
    assert not ServiceBeat.objects.exists()


def test_pulse_survives_a_database_outage(transactional_db: None) -> None:
    pulse = Pulse("beat", every=0.05)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE menace_site_servicebeat RENAME TO gone")
        pulse.start()
        until(lambda: pulse._away)
        cursor.execute("ALTER TABLE gone RENAME TO menace_site_servicebeat")
    until(lambda: ServiceBeat.objects.filter(service="beat").exists())
    pulse.stop()


def test_a_worker_and_a_beat_say_that_they_live(
    celery_workers: WorkerFactory, beat_process: BeatFactory, client: Client
) -> None:
    worker = celery_workers(concurrency=2)
    beat_process()
    until(lambda: client.get("/health").status_code == 200)
    row = ServiceBeat.objects.get(service="worker")
    assert row.name.endswith(f":{worker.pid}")
    assert row.detail["processes"] == 2
    worker.term()
    worker.wait()
    assert not ServiceBeat.objects.filter(service="worker").exists()
