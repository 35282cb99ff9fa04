"""The site's settings with steps that do what a cycle's script says."""

from menace_site.settings import *  # noqa: F403

CYCLE_PARTS = "tests.faults.parts.scripted_parts"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
