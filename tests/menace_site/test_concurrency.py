"""Writers that meet: the audit chain, daily roll-ups and tallies stay right with many threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from engines.domain.results import SYSTEM
from engines.models import CycleTally
from engines.services.tallies import count_end
from forecasting.models import MetricDaily, MetricPoint
from forecasting.services import record_points
from menace_site import audit
from menace_site.models import AuditEntry
from tests.factories import make_cycle, make_engine

THREADS, EACH = 4, 15


def together(write: Callable[[int], Any]) -> None:
    """Let several threads write, each on a connection of its own."""

    def work(thread: int) -> None:
        try:
            for number in range(EACH):
                write(thread * EACH + number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


def test_the_audit_chain_does_not_fork(transactional_db: None) -> None:
    together(lambda number: audit.record(actor=SYSTEM, verb="test", target=f"t:{number}"))
    assert AuditEntry.objects.count() == THREADS * EACH
    assert audit.verify() is None
    assert len(set(AuditEntry.objects.values_list("previous", flat=True))) == THREADS * EACH


def test_roll_ups_lose_and_double_nothing(transactional_db: None) -> None:
    names = [f"m{number}" for number in range(8)]

    def write(number: int) -> None:
        order = names if number % 2 else names[::-1]
        record_points("alpha", dict.fromkeys(order, 1.0), source=f"s{number % 20}")
        record_points("alpha", {"m0": float(number), "m1": 1.0}, source=f"s{number % 20}")

    together(write)
    for name in ("m0", "m7"):
        points = MetricPoint.objects.filter(name=name)
        row = MetricDaily.objects.get(name=name)
        assert (row.count, row.total) == (points.count(), points.aggregate(Sum("value"))["value__sum"])


def test_tallies_count_every_end(transactional_db: None) -> None:
    engine = make_engine()
    cycles = [make_cycle(engine, duration=2.0) for _ in range(THREADS * EACH)]

    def write(number: int) -> None:
        with transaction.atomic():
            count_end(cycle=cycles[number])

    together(write)
    tally = CycleTally.objects.get()
    assert (tally.count, tally.seconds) == (THREADS * EACH, 2.0 * THREADS * EACH)
