"""The demo's first cycles on real data: triggered from the web form, moved by a real worker, reproducible."""

from pathlib import Path

from django.test import Client
from pytest_django.fixtures import Settings

from engines.domain.results import CLI
from engines.domain.states import TERMINAL, CycleState, VersionState
from engines.models import Cycle, Engine, ModelVersion
from engines.services.demo import bring_demo
from menace_site.testing.workers import WorkerFactory
from tests.factories import make_user
from tests.waiting import until

SECONDS = 180.0


def ended(cycle_ids: list[int]) -> list[Cycle]:
    """Wait until all of the cycles came to their end."""
    cycles = Cycle.objects.filter(id__in=cycle_ids).order_by("id")

    def states() -> list[tuple[str, str]]:
        return list(cycles.all().values_list("state", "step"))

    until(lambda: all(state in TERMINAL for state, _ in states()), SECONDS, states)
    return list(cycles)


def triggered(client: Client, name: str) -> int:
    """Press the button on the engine's page and return the cycle's number."""
    answer = client.post(f"/engines/{name}/trigger/", {"energy": "1"})
    assert answer.status_code == 302, answer.content[:500]
    return Cycle.objects.filter(engine__name=name).latest("id").pk


def first_cycles(client: Client) -> dict[str, tuple[float | None, ...]]:
    """Run the first cycle of both demo bots as fresh engines; return what they were worth."""
    Engine.objects.all().delete()
    bring_demo(CLI)
    cycles = ended([triggered(client, name) for name in ("alpha", "beta")])
    assert [cycle.state for cycle in cycles] == [CycleState.DONE] * 2, [cycle.message for cycle in cycles]
    return {cycle.engine.name: (cycle.roi_gain, cycle.value, cycle.cost, cycle.roi_delta) for cycle in cycles}


def test_first_cycles_measure_a_roi_that_a_second_run_reproduces_exactly(
    celery_workers: WorkerFactory, tmp_path: Path, settings: Settings
) -> None:
    client = Client()
    client.force_login(make_user("operator"))
    celery_workers(concurrency=2)

    first = first_cycles(client)
    candidate = ModelVersion.objects.get(engine__name="alpha", state=VersionState.CANDIDATE)
    artifact = Path(settings.DATA_DIR) / "artifacts"
    second = first_cycles(client)

    assert first == second
    assert all(value is not None for values in first.values() for value in values)
    assert first["alpha"][0] is not None
    assert first["alpha"][0] > 0
    assert any(candidate.sha256 in path.name for path in artifact.rglob("*"))
