"""/metrics and the metrics server: the same numbers everywhere, and not for everybody."""

import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from menace_site import metrics
from menace_site.sandbox_settings import SandboxSettings
from menace_site.testing.workers import WorkerFactory
from tests.factories import make_beat, make_cycle, make_engine, make_user
from tests.waiting import until

TOKEN = SandboxSettings.from_environ({"MENACE_METRICS_TOKEN": "s3cret"})


def numbers(text: str) -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("menace_")
    }


def test_page_has_engines_services_and_process(client: Client, db: None) -> None:
    make_cycle(make_engine("alpha"), "queued")
    make_beat("worker", detail={"every": 3.0})
    answer = client.get("/metrics")
    found = numbers(answer.content.decode())
    assert answer["Content-Type"].startswith("text/plain")
    assert found["menace_queue_depth"] == 1
    assert found["menace_services[('service', 'worker')]"] == 1
    assert found["menace_services[('service', 'beat')]"] == 0
    assert found["menace_database_up"] == found["menace_broker_up"] == 1
    assert b"process_resident_memory_bytes" in answer.content
    assert b'menace_build_info{version="' in answer.content


def test_at_most_nine_queries(client: Client, db: None) -> None:
    make_cycle(make_engine("alpha"), "queued")
    with CaptureQueriesContext(connection) as queries:
        client.get("/metrics")
    assert len(queries) <= 9


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_forwarded_requests_are_not_from_here(client: Client, db: None, header: str) -> None:
    answer = client.get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert b"menace_queue" not in answer.content


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "", "unix"])
def test_other_machines_are_refused(client: Client, db: None, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 401


def test_production_asks_even_this_machine_for_the_token(client: Client, db: None) -> None:
    with override_settings(PRODUCTION=True, SANDBOX=TOKEN):
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer ", "Bearer s3cre", "Bearer ü"])
def test_a_wrong_token_is_refused_even_from_here(client: Client, db: None, given: str) -> None:
    with override_settings(SANDBOX=TOKEN):
        assert client.get("/metrics", HTTP_AUTHORIZATION=given).status_code == 401


def test_without_a_token_set_no_token_opens(client: Client, db: None) -> None:
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.7", headers={"Authorization": "Bearer "})
    assert answer.status_code == 401


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("approver", 403), ("admin", 200)])
def test_only_superusers_see_the_numbers_of_all_engines(
    client: Client, db: None, role: str, status: int
) -> None:
    client.force_login(make_user(role))
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == status


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    """The metrics server of this process, on a free port."""
    running = metrics.start_metrics_server(0)
    yield f"http://127.0.0.1:{running.server_port}/metrics"
    running.shutdown()
    running.server_close()


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_server_and_page_agree(client: Client, server: str) -> None:
    make_cycle(make_engine("alpha"), fenced=1)
    on_the_page = numbers(client.get("/metrics").content.decode())
    assert numbers(fetch(server)) == on_the_page


def test_server_leaves_no_connections(server: str) -> None:
    def sessions() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    before = sessions()
    for _ in range(5):
        fetch(server)
    until(lambda: sessions() <= before)


def test_database_away_is_said_and_nothing_is_zero(server: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE menace_site_servicebeat RENAME TO gone")
        text = fetch(server)
        cursor.execute("ALTER TABLE gone RENAME TO menace_site_servicebeat")
    found = numbers(text)
    assert found["menace_database_up"] == 0
    assert "menace_queue_depth" not in found
    assert "process_resident_memory_bytes" in text


def test_a_worker_serves_the_port(celery_workers: WorkerFactory, free_port: int) -> None:
    celery_workers(concurrency=1, env={"MENACE_METRICS_PORT": str(free_port)})
    assert "menace_queue_depth 0.0" in fetch(f"http://127.0.0.1:{free_port}/metrics")


def test_a_second_worker_of_the_machine_goes_without(server: str, caplog: pytest.LogCaptureFixture) -> None:
    taken = SandboxSettings.from_environ({"MENACE_METRICS_PORT": str(urllib.parse.urlsplit(server).port)})
    with override_settings(SANDBOX=taken):
        metrics.serve_in_worker()
    assert "another worker of this machine serves it" in caplog.text


def test_command_prints_the_metrics_once(db: None) -> None:
    make_cycle(make_engine("alpha"), "queued")
    out = StringIO()
    call_command("export_metrics", once=True, stdout=out)
    assert numbers(out.getvalue())["menace_queue_depth"] == 1


def test_command_says_that_a_port_is_taken(server: str) -> None:
    with pytest.raises(CommandError, match="can't listen on"):
        call_command("export_metrics", port=urllib.parse.urlsplit(server).port)
