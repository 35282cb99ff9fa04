"""How often: a fixed window a minute (or what the rate says) per token, per person, per address.

The counters live in the cache. While Redis is away nothing is counted and nobody is refused: an outage of the
cache must not take the API down.
"""

import math
import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class FixedWindow(SimpleRateThrottle):
    """Counts requests in windows of the rate's length; one round trip to the cache each."""

    scope = "anon"
    num_requests: int | None
    duration: int | None
    left: float

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request and return whether it is within the rate."""
        key = self.get_cache_key(request, view)
        if key is None or self.num_requests is None or self.duration is None:
            return True
        window, passed = divmod(time.time(), self.duration)
        self.left = self.duration - passed
        return self._count(f"{key}:{int(window)}", math.ceil(self.left)) <= self.num_requests

    @staticmethod
    def _count(key: str, seconds: int) -> int:
        cache.add(key, 0, seconds + 1)
        try:
            return cache.incr(key) or 0
        except ValueError:  # the key went between the two calls, or was never kept
            return 0

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return self.left

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Return whom to count: here the address."""
        return f"throttle:anon:{self.get_ident(request)}"


class PerToken(FixedWindow):
    """The rate of a token, or of a person's session. Anonymous requests are counted by `PerAddress`."""

    scope = "token"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Return the token's or the user's key."""
        if request.auth is not None:
            return f"throttle:token:{request.auth.pk}"
        return f"throttle:user:{request.user.pk}" if request.user.is_authenticated else None


class PerAddress(FixedWindow):
    """The rate of refused sign-ins from one address."""
