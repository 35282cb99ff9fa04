"""The cache: what it keeps while Redis answers, and that nothing waits while it doesn't."""

import time
from collections.abc import Iterator

import pytest
from django.conf import settings

from menace_site.cache import PAUSE_SECONDS, ResilientRedisCache


@pytest.fixture
def cache(private_servers: object) -> Iterator[ResilientRedisCache]:
    """A cache of its own keys on the test run's Redis."""
    kept = ResilientRedisCache(settings.REDIS_URL, {"KEY_PREFIX": "test-cache"})
    for key in ("a", "n", "missing"):
        kept.delete(key)
    yield kept
    kept.close()


@pytest.fixture
def away() -> ResilientRedisCache:
    """A cache whose Redis is nowhere."""
    return ResilientRedisCache("unix:///nowhere.sock?db=0", {})


class Clock:
    """A clock that tests move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_what_is_kept_is_found(cache: ResilientRedisCache) -> None:
    cache.set("a", {"x": [1, None, "ü"]}, 60)
    assert cache.get("a") == {"x": [1, None, "ü"]}
    assert cache.get("missing", "usual") == "usual"
    assert cache.delete("a") is True
    assert cache.delete("a") is False


def test_adding_keeps_the_first(cache: ResilientRedisCache) -> None:
    assert cache.add("a", 1, 60) is True
    assert cache.add("a", 2, 60) is False
    assert cache.get("a") == 1


def test_counting_needs_a_key(cache: ResilientRedisCache) -> None:
    cache.set("n", 4, 60)
    assert [cache.incr("n"), cache.incr("n", 5), cache.incr("n", -1)] == [5, 10, 9]
    with pytest.raises(ValueError, match="not found"):
        cache.incr("missing")


def test_a_kept_value_ends(cache: ResilientRedisCache) -> None:
    cache.set("a", 1, 1)
    client = cache._cache.get_client(cache.make_key("a"))
    assert 0 < client.pttl(cache.make_and_validate_key("a")) <= 1000


def test_away_reads_as_empty(away: ResilientRedisCache) -> None:
    away.set("a", 1)
    assert away.get("a") is None
    assert away.get("a", "usual") == "usual"
    assert away.add("a", 1) is False
    assert away.delete("a") is False
    assert away.incr("a") == 0


def test_away_is_asked_again_only_after_a_pause(
    cache: ResilientRedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.set("a", "kept", 60)
    clock = Clock(monkeypatch)
    cache._away_until = clock.now + PAUSE_SECONDS
    assert cache.get("a") is None
    clock.now += PAUSE_SECONDS - 0.01
    assert cache.get("a") is None
    clock.now += 0.01
    assert cache.get("a") == "kept"


def test_each_failure_begins_a_pause(away: ResilientRedisCache, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    away.get("a")
    assert away._away_until == clock.now + PAUSE_SECONDS
    clock.now += PAUSE_SECONDS
    away.get("a")
    assert away._away_until == clock.now + PAUSE_SECONDS


def test_a_frozen_redis_costs_half_a_second_once(frozen_valkey: None) -> None:
    cache = ResilientRedisCache(settings.REDIS_URL, {})
    begun = time.monotonic()
    for _ in range(200):
        assert cache.get("a") is None
    assert time.monotonic() - begun < 3
