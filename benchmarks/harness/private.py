"""A private database and broker in a temporary folder, and how a measurement ends."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from menace_site.embedded.services import ensure_services

INHERITED = ("DATABASE_URL", "REDIS_URL", "MENACE_DATA_DIR", "MENACE_PRODUCTION")


@contextmanager
def private_servers(name: str, **environment: str) -> Iterator[Path]:
    """Set up Django on servers of its own, with all tables; yield their folder, which is gone afterwards."""
    # what the servers still write while they end must not cost the figures
    with tempfile.TemporaryDirectory(prefix=f"menace-{name}-", ignore_cleanup_errors=True) as folder:
        os.environ.update(SANDBOX_DATA_DIR=folder, MENACE_LOG_LEVEL="ERROR", **environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "menace_site.settings"
        for inherited in INHERITED:
            os.environ.pop(inherited, None)
        django.setup()
        services = ensure_services(Path(folder))
        try:
            call_command("migrate", verbosity=0)
            yield Path(folder)
        finally:
            services.close_and_wait()


def ended(report: dict[str, Any], path: Path | None) -> int:
    """Write the report down where that was asked for; return the exit code, 1 when a bar is missed."""
    if path:
        path.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if report["missed"] else 0
