"""Counts that only grow, in the transaction that makes them true."""

from collections.abc import Mapping
from typing import Final

from django.db import connection

TESTED: Final = "tested"
FAILED: Final = "failed"
REINTRODUCED: Final = "reintroduced"
RECLASSIFIED: Final = "reclassified"
SIDE_EFFECTS: Final = "side_effects"
ISOLATED_DISCOVERED: Final = "isolated_discovered"
ISOLATED_INTEGRATED: Final = "isolated_integrated"

ADD = """
INSERT INTO orphans_orphantally AS t (subject, name, count) VALUES (%s, %s, %s)
ON CONFLICT (subject, name) DO UPDATE SET count = t.count + EXCLUDED.count
"""


def add(subject: str, counts: Mapping[str, int]) -> None:
    """Add to counts of a subject, in name order, so that no two writers lock crosswise; skip zeros."""
    grown = [(subject, name, count) for name, count in sorted(counts.items()) if count]
    if grown:
        with connection.cursor() as cursor:
            cursor.executemany(ADD, grown)
