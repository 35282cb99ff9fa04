"""The short way of a scan: nothing changed since the last one, so its result still holds."""

import time

from orphans.discovery.store import Store
from orphans.domain.findings import Scan


def remembered(store: Store, key: str, begun: float) -> Scan | None:
    """Return the last scan when it was of this very state; `begun` is on `time.perf_counter`."""
    row = store.result(key)
    if row is None:
        return None
    try:
        return Scan.from_json({**row, "seconds": round(time.perf_counter() - begun, 3)})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
