"""The site's settings with steps that do what a cycle's script says."""

import os

from menace_site.settings import *  # noqa: F403

CYCLE_PARTS = "tests.faults.parts.scripted_parts"
CELERY_TASK_TIME_LIMIT = int(os.environ.get("FAULTS_TIME_LIMIT", "900"))
CELERY_TASK_SOFT_TIME_LIMIT = CELERY_TASK_TIME_LIMIT - 1
