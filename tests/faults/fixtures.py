"""Fixtures of the fault tests."""

from pathlib import Path
from typing import Any

import pytest

from menace_site.testing.servers import Servers
from menace_site.testing.workers import WorkerFactory
from tests.faults.stage import Stage


@pytest.fixture
def stage(celery_workers: WorkerFactory, private_servers: Servers, tmp_path: Path, settings: Any) -> Stage:
    """A stage whose workers have short leases; this process sweeps as often as they would."""
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"sweep_seconds": 0.5, "lease_seconds": 2.0})
    return Stage(tmp_path, celery_workers, private_servers)
