"""Throttle windows on a clock that tests move, and keys of repeated requests against a model."""

import random
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.models import Cycle
from menace_site.api.idempotency import KEPT
from menace_site.api.throttling import FixedWindow
from menace_site.models import IdempotencyKey
from tests.api.conftest import Api
from tests.factories import make_engine, make_user

pytestmark = pytest.mark.django_db

START = 1_800_000_000.0  # divides by a minute and an hour


class Clock:
    """A clock that tests move; windows are counted on it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, _generous: None) -> Clock:
    cache.clear()
    made = Clock()
    monkeypatch.setattr("menace_site.api.throttling.time.time", made)
    return made


def rates(monkeypatch: pytest.MonkeyPatch, token: str, anon: str = "1000/min") -> None:
    monkeypatch.setattr(FixedWindow, "THROTTLE_RATES", {"token": token, "anon": anon})


def asked(api: Api) -> Any:
    return api.get("me/")


@pytest.mark.parametrize(("rate", "most", "seconds"), [("2/s", 2, 1), ("3/min", 3, 60), ("4/hour", 4, 3600)])
def test_a_window_ends_with_the_second_it_says(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, rate: str, most: int, seconds: int
) -> None:
    rates(monkeypatch, rate)
    api = Api(make_user())
    assert [asked(api).status_code for _ in range(most + 1)] == [200] * most + [429]
    clock.now = START + seconds - 0.01
    assert asked(api).status_code == 429
    clock.now = START + seconds
    assert [asked(api).status_code for _ in range(most + 1)] == [200] * most + [429]


@pytest.mark.parametrize("passed", [0, 1, 17.5, 59, 59.9])
def test_the_time_to_wait_is_what_is_left_of_the_window(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, passed: float
) -> None:
    rates(monkeypatch, "1/min")
    api = Api(make_user())
    clock.now = START + passed
    asked(api)
    wait = int(asked(api)["Retry-After"])
    assert abs(wait - (60 - passed)) <= 1
    assert wait >= 1


def test_any_order_of_requests_and_pauses_gets_the_answers_of_the_model(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(monkeypatch, "3/min")
    people, chance = [Api(make_user()) for _ in range(2)], random.Random(5)
    seen: dict[tuple[int, int], int] = {}
    for _ in range(60):
        who = chance.randrange(2)
        clock.now += chance.choice([0, 0, 1, 20])
        key = (who, int(clock.now // 60))
        seen[key] = seen.get(key, 0) + 1
        assert asked(people[who]).status_code == (200 if seen[key] <= 3 else 429)


def test_refused_sign_ins_are_counted_apart_from_signed_in_people(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(monkeypatch, "100/min", "1/min")
    stranger, ada = Api(None), Api(make_user())
    assert [asked(stranger).status_code for _ in range(3)] == [401, 429, 429]
    assert asked(ada).status_code == 200


def test_what_was_refused_did_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rates(monkeypatch, "1/min")
    make_engine("alpha")
    api = Api(make_user("operator"))
    answers = [api.post("cycles/", {"engine": "alpha"}).status_code for _ in range(3)]
    assert answers == [201, 429, 429]
    assert Cycle.objects.count() == 1


def test_a_counter_outlives_its_window_by_no_more_than_a_moment(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(monkeypatch, "1/min")
    clock.now = START + 30
    user = make_user()
    api = Api(user)
    asked(api)
    pattern = "*throttle*"
    client: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    lives = [client.ttl(key) for key in client.keys(pattern)]
    assert lives
    assert all(0 < seconds <= 32 for seconds in lives)


# ------------------------------------------------------------------ keys of repeated requests

steps = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo"]),
        st.sampled_from(["k1", "k2", None]),
        st.sampled_from([1, 2]),
        st.sampled_from([0, 0, 0, 25]),
    ),
    min_size=2,
    max_size=8,
)


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(story=steps)
def test_any_story_of_repeats_has_each_effect_once(story: list[tuple[str, str | None, int, int]]) -> None:
    """The model: a key stands for one request of one person, for a day."""
    Cycle.objects.all().delete()
    IdempotencyKey.objects.all().delete()
    suffix = str(time.perf_counter_ns())
    engine = make_engine(f"bot{suffix}")
    people = {name: Api(make_user("operator", username=f"{name}{suffix}")) for name in ("ada", "bo")}
    model: dict[tuple[str, str], tuple[int, int]] = {}
    effects = 0
    for who, key, energy, hours in story:
        if hours:
            IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=hours))
            model.clear()
        headers = {} if key is None else {"Idempotency_Key": key}
        answer = people[who].post("cycles/", {"engine": engine.name, "energy": energy}, **headers)
        known = model.get((who, key)) if key is not None else None
        if known is None:
            effects += 1
            assert answer.status_code == 201
            if key is not None:
                model[who, key] = (energy, answer.json()["id"])
        else:
            same = known[0] == energy
            assert answer.status_code == (201 if same else 422)
            assert not same or answer.json()["id"] == known[1]
        assert Cycle.objects.count() == effects


@pytest.mark.parametrize(
    ("age", "kept"), [(timedelta(0), True), (KEPT - timedelta(minutes=1), True), (KEPT, False)]
)
def test_a_key_is_kept_for_a_day_exactly(operator: Api, age: timedelta, kept: bool) -> None:
    make_engine("alpha")
    operator.post("cycles/", {"engine": "alpha"}, Idempotency_Key="k")
    IdempotencyKey.objects.update(at=timezone.now() - age)
    again = operator.post("cycles/", {"engine": "alpha"}, Idempotency_Key="k")
    assert again.status_code == 201
    assert again.has_header("Idempotency-Replayed") is kept
    assert Cycle.objects.count() == (1 if kept else 2)


@pytest.mark.parametrize("key", ["x", "x" * 100, "' OR 1=1 --", "../../x", "%00", "{}", " a ", "~"])
def test_a_strange_key_is_a_key(operator: Api, key: str) -> None:
    make_engine("alpha")
    for _ in range(2):
        assert operator.post("cycles/", {"engine": "alpha"}, Idempotency_Key=key).status_code == 201
    assert Cycle.objects.count() == 1


def test_a_key_on_a_request_that_only_looks_is_passed_over(operator: Api) -> None:
    operator.headers["Idempotency-Key"] = "k"
    assert [operator.get("me/").status_code for _ in range(2)] == [200, 200]
    assert not IdempotencyKey.objects.exists()
