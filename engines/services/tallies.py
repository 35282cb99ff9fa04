"""Keeps the tally of ended cycles, in the transaction that ends them."""

from bisect import bisect_left
from typing import Any

from django.db import connection
from django.dispatch import receiver

from engines.models import Cycle
from engines.signals import cycle_finished

BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Upper bounds of the duration's buckets, seconds; one bucket more takes what is longer."""

NEVER_STARTED = -1

COUNT = """
INSERT INTO engines_cycletally AS t (engine_id, state, bucket, count, seconds) VALUES (%s, %s, %s, 1, %s)
ON CONFLICT (engine_id, state, bucket)
DO UPDATE SET count = t.count + 1, seconds = t.seconds + EXCLUDED.seconds
"""


def bucket(duration: float | None) -> int:
    """Return the index of the bucket that a duration in seconds falls into."""
    return NEVER_STARTED if duration is None else bisect_left(BOUNDS, duration)


@receiver(cycle_finished)
def count_end(*, cycle: Cycle, **_: Any) -> None:
    """Count the end of a cycle; a cycle that is retried ends, and counts, once more."""
    with connection.cursor() as cursor:
        end = (cycle.engine_id, str(cycle.state), bucket(cycle.duration), cycle.duration or 0.0)
        cursor.execute(COUNT, end)
