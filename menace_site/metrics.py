"""Metrics for Prometheus: the page `/metrics`, and the same on a port of its own in a worker.

Everything about cycles is read from rows at scrape, so web and workers show the same numbers; only
`process_*` and `python_info` speak of the process that answers.
"""

import functools
import hmac
import ipaddress
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from celery.signals import worker_ready
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from engines import gauges
from forecasting import gauges as forecasting_gauges
from menace_site import __version__
from menace_site.events import bus
from menace_site.health import live_services
from orphans import gauges as orphan_gauges

log = logging.getLogger(__name__)

SOURCES = (gauges.families, orphan_gauges.families, forecasting_gauges.families)
"""Where apps say what there is to measure; each yields families from rows."""

DEFAULT_PORT = 8001
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


class Rows(Collector):
    """Reads rows at scrape. A database that is away shows as `menace_database_up 0`, not as zeros."""

    def __init__(self, *, close: bool) -> None:
        self._close = close

    def collect(self) -> Iterator[Metric]:
        """Return all families that come from rows, or from Redis."""
        found: list[Metric] = []
        try:
            found = [*_services(), *(family for source in SOURCES for family in source())]
        except DatabaseError as error:
            log.warning("metrics: database away: %s", error)
        finally:
            if self._close:  # a thread of the metrics server: nobody else would
                connection.close()
        yield GaugeMetricFamily("menace_database_up", "1 when the database answered.", value=bool(found))
        yield _build_info()
        yield from found
        yield from _bus()

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering must not read the database."""
        return ()


def _build_info() -> Metric:
    family = GaugeMetricFamily("menace_build_info", "The running version.", labels=["version"])
    family.add_metric([__version__], 1)
    return family


def _services() -> Iterator[Metric]:
    family = GaugeMetricFamily("menace_services", "Live processes of this kind.", labels=["service"])
    services = live_services()
    for service in ("worker", "beat"):
        family.add_metric([service], services[service].count if service in services else 0)
    yield family


def _bus() -> Iterator[Metric]:
    try:
        dropped = bus().dropped_total()
    except (RedisError, OSError):
        yield GaugeMetricFamily("menace_broker_up", "1 when Redis answered.", value=0)
        return
    yield GaugeMetricFamily("menace_broker_up", "1 when Redis answered.", value=1)
    yield CounterMetricFamily("menace_events_dropped", "Messages that the event bus lost.", value=dropped)


@functools.cache
def registry(*, close: bool = False) -> CollectorRegistry:
    """Return what is exported; `close`: in threads whose database connection nobody else closes."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Rows(close=close))
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    return made


@never_cache
@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape: with the token, from this machine (not in production), or as a superuser."""
    if not allowed(request):
        return _refusal(request)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)


def allowed(request: HttpRequest) -> bool:
    """Return whether the request may see the numbers of all engines."""
    token = settings.SANDBOX.metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
    return request.user.is_superuser or _from_here(request)


def _from_here(request: HttpRequest) -> bool:
    """Return whether it surely comes from this machine: behind a proxy everybody would look so."""
    if settings.PRODUCTION or settings.SANDBOX.proxy_count or any(name in request.META for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _refusal(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponse(
            "Only superusers see the numbers of all engines.\n", status=403, content_type="text/plain"
        )
    text = "Send the token of MENACE_METRICS_TOKEN: Authorization: Bearer …\n"
    return HttpResponse(
        text,
        status=401,
        content_type="text/plain; charset=utf-8",
        headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
    )


def start_metrics_server(port: int = DEFAULT_PORT, addr: str = "127.0.0.1") -> Any:
    """Serve the metrics on a port of this process and return the server; `shutdown()` ends it.

    Raises OSError when the port is taken. Nobody signs in there: bind it where only monitoring gets to.
    """
    server, _thread = start_http_server(port, addr=addr, registry=registry(close=True))
    return server


@worker_ready.connect
def serve_in_worker(**_: Any) -> None:
    """Serve the metrics in the first worker of the machine when a port is set."""
    if port := settings.SANDBOX.metrics_port:
        try:
            start_metrics_server(port)
        except OSError as error:
            log.warning("metrics port %s: %s; another worker of this machine serves it", port, error)
