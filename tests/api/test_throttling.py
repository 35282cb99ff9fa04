"""How often one may ask."""

import pytest
from django.core.cache import cache
from django.test import override_settings

from menace_site.api.throttling import FixedWindow
from tests.api.conftest import Api
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_an_hour(_generous: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(FixedWindow, "THROTTLE_RATES", {"token": "3/hour", "anon": "2/hour"})


def statuses(api: Api, count: int) -> list[int]:
    return [api.get("me/").status_code for _ in range(count)]


def test_a_token_over_its_rate_must_wait() -> None:
    api = Api(make_user())
    assert statuses(api, 4) == [200, 200, 200, 429]
    answer = api.get("me/")
    assert 1 <= int(answer["Retry-After"]) <= 3600
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:menace:problem:throttled"


def test_each_token_has_a_rate_of_its_own() -> None:
    user = make_user()
    statuses(Api(user), 4)
    assert statuses(Api(user), 1) == [200]


def test_a_session_is_counted_by_its_person() -> None:
    first, second = Api(None), Api(None)
    user = make_user()
    first.client.force_login(user)
    second.client.force_login(user)
    assert statuses(first, 2) + statuses(second, 2) == [200, 200, 200, 429]


def test_strangers_are_counted_by_address() -> None:
    bad = Api(None)
    bad.headers = {"Authorization": "Bearer men_x_y"}
    assert statuses(Api(None), 1) + statuses(bad, 2) == [401, 401, 429]


def test_a_forged_address_is_not_believed() -> None:
    for number in range(3):
        stranger = Api(None)
        stranger.headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        answer = stranger.get("me/")
    assert answer.status_code == 429


def test_nobody_is_refused_while_redis_is_away() -> None:
    away = {
        "default": {
            "BACKEND": "menace_site.cache.ResilientRedisCache",
            "LOCATION": "unix:///nowhere.sock?db=0",
        }
    }
    with override_settings(CACHES=away):
        assert statuses(Api(make_user()), 5) == [200] * 5
