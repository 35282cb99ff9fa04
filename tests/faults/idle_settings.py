"""The site's settings with steps that do nothing: what is left is the cycle itself."""

import os

from menace_site.settings import *  # noqa: F403

CYCLE_PARTS = f"tests.faults.parts.{os.environ.get('IDLE_PARTS', 'idle_parts')}"
