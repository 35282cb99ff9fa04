"""A repeated POST has its effect once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from engines.models import Cycle
from menace_site.models import ApiToken, IdempotencyKey
from tests.api.conftest import Api
from tests.factories import make_cycle, make_engine, make_user
from tests.waiting import until

BODY = {"engine": "alpha"}


def test_the_same_request_gets_the_same_answer(operator: Api) -> None:
    make_engine("alpha")
    first = operator.post("cycles/", BODY, Idempotency_Key="k1")
    again = operator.post("cycles/", BODY, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Cycle.objects.count() == 1


def test_the_order_of_keys_does_not_matter(operator: Api) -> None:
    make_engine("alpha")
    operator.post("cycles/", {"engine": "alpha", "energy": 2}, Idempotency_Key="k1")
    operator.post("cycles/", {"energy": 2, "engine": "alpha"}, Idempotency_Key="k1")
    assert Cycle.objects.count() == 1


def test_without_a_key_each_request_counts(operator: Api) -> None:
    make_engine("alpha")
    operator.post("cycles/", BODY)
    operator.post("cycles/", BODY)
    assert Cycle.objects.count() == 2


def test_a_key_serves_one_request_only(operator: Api) -> None:
    make_engine("alpha")
    cycle = operator.post("cycles/", BODY, Idempotency_Key="k1").json()["id"]
    other_body = operator.post("cycles/", {**BODY, "energy": 2}, Idempotency_Key="k1")
    other_path = operator.post(f"cycles/{cycle}/cancel/", BODY, Idempotency_Key="k1")
    assert (other_body.status_code, other_path.status_code) == (422, 422)
    assert other_body.json()["type"] == "urn:menace:problem:key-reused"
    assert Cycle.objects.get().state == "queued"


def test_another_person_may_use_the_same_key(operator: Api) -> None:
    make_engine("alpha")
    operator.post("cycles/", BODY, Idempotency_Key="k1")
    Api(make_user("operator")).post("cycles/", BODY, Idempotency_Key="k1")
    assert Cycle.objects.count() == 2


def test_a_refused_request_may_be_repeated_with_its_key(operator: Api) -> None:
    assert operator.post("cycles/", BODY, Idempotency_Key="k1").status_code == 400
    make_engine("alpha")
    assert operator.post("cycles/", BODY, Idempotency_Key="k1").status_code == 201


def test_a_key_is_forgotten_after_a_day(operator: Api) -> None:
    make_engine("alpha")
    operator.post("cycles/", BODY, Idempotency_Key="k1")
    IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=25))
    operator.post("cycles/", BODY, Idempotency_Key="k1")
    assert Cycle.objects.count() == 2
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 101, "a\tb", "é"])
def test_a_malformed_key_is_refused(operator: Api, key: str) -> None:
    make_engine("alpha")
    answer = operator.post("cycles/", BODY, Idempotency_Key=key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_does_not_open_what_is_closed(viewer: Api) -> None:
    make_engine("alpha")
    assert viewer.post("cycles/", BODY, Idempotency_Key="k1").status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_the_secret_of_a_token_is_not_kept(operator: Api) -> None:
    body = {"name": "ci", "scopes": ["read"], "expires_at": "2036-01-01T00:00:00Z"}
    first = operator.post("tokens/", body, Idempotency_Key="k1").json()
    again = operator.post("tokens/", body, Idempotency_Key="k1").json()
    assert first["secret"].startswith("men_")
    assert again == {**first, "secret": None}
    assert first["secret"] not in str(IdempotencyKey.objects.get().body)
    assert ApiToken.objects.filter(name="ci").count() == 1


def race(api: Api, threads: int, path: str, body: Any, key: str) -> list[int]:
    """Send the same request from several threads at once and return the statuses."""
    statuses: list[int] = []
    start = threading.Barrier(threads)

    def send() -> None:
        start.wait()
        mine = Api(None)
        mine.headers = api.headers
        statuses.append(mine.post(path, body, Idempotency_Key=key).status_code)
        connection.close()

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return statuses


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_has_the_effect() -> None:
    api = Api(make_user("operator"))
    make_engine("alpha")
    for attempt in range(5):
        statuses = race(api, 6, "cycles/", BODY, f"k{attempt}")
        assert set(statuses) <= {201, 409}
        assert 201 in statuses
        assert Cycle.objects.count() == attempt + 1


@pytest.mark.django_db(transaction=True)
def test_a_key_in_use_is_a_conflict() -> None:
    api = Api(make_user("operator"))
    cycle = make_cycle(state="queued")
    started, finish = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Cycle.objects.select_for_update().get(pk=cycle.pk)
            started.set()
            finish.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    started.wait(10)
    path, statuses = f"cycles/{cycle.pk}/cancel/", []

    def first() -> None:
        mine = Api(None)
        mine.headers = api.headers
        statuses.append(mine.post(path, Idempotency_Key="k").status_code)
        connection.close()

    waiting = threading.Thread(target=first)  # gets the key's lock, then waits for the row
    waiting.start()
    until(_key_is_locked, pause=0.0)
    second = api.post(path, Idempotency_Key="k")
    finish.set()
    waiting.join()
    holder.join()
    assert second.status_code == 409
    assert second.json()["type"] == "urn:menace:problem:in-progress"
    assert statuses == [200]


def _key_is_locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
