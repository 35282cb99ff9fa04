"""Real workers share a set of self-tests."""

from pathlib import Path

import pytest

from menace_site.testing.workers import WorkerFactory
from orphans.domain.states import BatchState
from orphans.models import ModuleRun, OrphanModule, SelfTestRun
from orphans.services import planning, self_tests
from tests.orphans.rows import make_module
from tests.waiting import until


def start(checkout: Path, count: int) -> SelfTestRun:
    """Queue self-tests of good and bad modules and wake workers."""
    checkout.mkdir()
    for number in range(count):
        body = "VALUE = 1\n" if number % 2 else "import nowhere_at_all\n"
        (checkout / f"m{number}.py").write_text(body)
    plan = planning.plan_files(checkout, [f"m{number}.py" for number in range(count)])
    for each in plan.wanted:
        make_module(path=each.path, content_hash=each.content_hash)
    return self_tests.start_batch(
        "alpha", plan.wanted, source="test", checkout=checkout, options=plan.options
    )


def ended(batch: SelfTestRun, seconds: float = 120.0) -> SelfTestRun:
    rows = SelfTestRun.objects.filter(pk=batch.pk, state=BatchState.DONE)
    until(
        rows.exists, seconds, lambda: list(batch.runs.values_list("path", "state", "reason", "lease_owner"))
    )
    return rows.get()


@pytest.mark.django_db(transaction=True)
def test_real_workers_share_a_set_and_give_every_module_a_verdict(
    celery_workers: WorkerFactory, tmp_path: Path
) -> None:
    celery_workers(concurrency=2)

    batch = ended(start(tmp_path / "checkout", 8))

    assert (batch.passed, batch.failed, batch.total) == (4, 4, 8)
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {"passed", "failed"}
    assert set(ModuleRun.objects.values_list("attempts", flat=True)) == {1}
