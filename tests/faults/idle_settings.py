"""The site's settings with steps that do nothing: what is left is the cycle itself."""

from menace_site.settings import *  # noqa: F403

CYCLE_PARTS = "tests.faults.parts.idle_parts"
