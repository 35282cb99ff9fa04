"""Whether the parts answer: web, database, broker, workers, beat. Cheap, public, without secrets."""

import functools
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from menace_site import __version__, tables

PING_SECONDS = 0.5
KEEP_SECONDS = 2.0
MISSED_BEATS = 4
BEATS = """
SELECT service, count(*), sum(coalesce((detail->>'processes')::int, 1)),
       extract(epoch FROM clock_timestamp() - max(at))::float8
FROM menace_site_servicebeat
WHERE at > clock_timestamp() - %s * coalesce((detail->>'every')::float8, 5) * interval '1 second'
GROUP BY service
"""
State = dict[str, Any]


@dataclass(frozen=True)
class Live:
    """The processes of one service that live."""

    count: int
    #: task processes of the workers together
    processes: int
    #: seconds since the latest sign of life
    age: float


def check() -> State:
    """Ask every part now; each entry has ok and detail, and the age of its latest sign of life in seconds."""
    beats = _beats()
    return {
        "web": {"ok": True, "detail": "answers"},
        "database": _database(beats),
        "broker": _broker(),
        "workers": _service(beats, "worker", "no worker answers: cycles wait"),
        "beat": _service(beats, "beat", "no beat answers: schedules and lost cycles wait"),
        "version": {"ok": True, "detail": __version__},
    }


def state() -> State:
    """Return what `check` found in the last two seconds, for the banner of pages."""
    now = time.monotonic()
    if _kept["until"] <= now:
        _kept.update(state=check(), until=now + KEEP_SECONDS)
    found: State = _kept["state"]
    return found


_kept: dict[str, Any] = {"until": float("-inf"), "state": {}}


def ready(parts: State) -> bool:
    """Return whether every part answers."""
    return all(part["ok"] for part in parts.values())


@never_cache
@require_safe
@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all parts are ready, else 503; the body says which is not."""
    parts = check()
    return JsonResponse({"ready": ready(parts), **parts}, status=200 if ready(parts) else 503)


def live_services() -> dict[str, Live]:
    """Return what gave a sign of life lately, by service; raises DatabaseError when the database is away."""
    with connection.cursor() as cursor:
        cursor.execute(BEATS, [MISSED_BEATS])
        return {service: Live(*numbers) for service, *numbers in cursor.fetchall()}


def _beats() -> dict[str, Live] | None:
    try:
        return live_services()
    except DatabaseError:
        return None


def _database(beats: object) -> State:
    ok = beats is not None
    away = "the database does not answer, or has no tables yet"
    return {"ok": ok, "detail": "answers" if ok else tables.mismatch() or away}


def _broker() -> State:
    try:
        _client().ping()
    except (RedisError, OSError) as error:
        return {"ok": False, "detail": f"Redis does not answer ({type(error).__name__})"}
    return {"ok": True, "detail": "answers"}


@functools.cache
def _client() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PING_SECONDS,
        socket_connect_timeout=PING_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _service(beats: dict[str, Live] | None, service: str, missing: str) -> State:
    if beats is None:
        return {"ok": False, "detail": "not known without the database", "age": None}
    if service not in beats:
        return {"ok": False, "detail": missing, "age": None}
    live = beats[service]
    detail = f"{live.count} running" + (f" with {live.processes} processes" if service == "worker" else "")
    return {"ok": True, "detail": detail, "age": round(live.age, 1), "count": live.count}
