"""A cache that never takes the site down: what it holds can be computed again."""

import time
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

PAUSE_SECONDS = 5.0


class ResilientRedisCache(RedisCache):
    """Redis with short time-outs that reads as empty while Redis is away and asks again after a pause."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._away_until = 0.0

    def _try(self, method: str, default: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._away_until:
            return default
        try:
            return getattr(super(), method)(*args, **kwargs)
        except (RedisError, OSError):
            self._away_until = time.monotonic() + PAUSE_SECONDS
            return default

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return what is kept, or `default` while Redis is away."""
        return self._try("get", default, key, default, version)

    def get_many(self, keys: Any, version: int | None = None) -> dict[str, Any]:
        """Return what is kept of several keys; nothing while Redis is away."""
        return dict(self._try("get_many", {}, keys, version))

    def set(self, key: str, value: Any, timeout: Any = 300, version: int | None = None) -> None:
        """Keep a value; while Redis is away nothing is kept."""
        self._try("set", None, key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = 300, version: int | None = None) -> bool:
        """Keep a value that is not there yet; False while Redis is away."""
        return bool(self._try("add", False, key, value, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget a value; False while Redis is away."""
        return bool(self._try("delete", False, key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count up; 0 while Redis is away. ValueError when there is no such key."""
        return int(self._try("incr", 0, key, delta, version))
