"""A real worker applies what was approved; one that is killed in the middle leaves it whole to the next."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from engines.domain.promotion import canonical
from engines.models import ModelVersion, Promotion
from engines.services.promotions import live
from engines.tasks import sweep
from menace_site.models import AuditEntry
from menace_site.testing.workers import WorkerFactory
from tests.engines.promoting import approve, approver, make_promotion
from tests.waiting import until


@contextmanager
def held(engine_id: int) -> Iterator[None]:
    """Keep a worker from letting a candidate go live, as if it were slow."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(ModelVersion.objects.select_for_update().filter(engine=engine_id))
            locked.set()
            done.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()


def state(promotion: Promotion) -> str:
    promotion.refresh_from_db()
    return str(promotion.state)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_it_to_the_next(celery_workers: WorkerFactory) -> None:
    promotion = make_promotion()
    before = canonical(live.live(promotion.engine_id, "model"))
    first = celery_workers(concurrency=1)
    with held(promotion.engine_id):
        approve(promotion, approver())
        until(lambda: state(promotion) == "applying")
        first.kill9()
        assert canonical(live.live(promotion.engine_id, "model")) == before
    celery_workers(concurrency=1)

    assert state(promotion) == "applying"
    Promotion.objects.filter(pk=promotion.pk).update(apply_until="2020-01-01T00:00Z")
    sweep()
    until(lambda: state(promotion) == "applied")

    assert promotion.attempts == 2
    assert AuditEntry.objects.filter(verb="promotion.apply").count() == 1
    assert canonical(promotion.before) == before
