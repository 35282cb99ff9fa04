"""What the hard stages say of a candidate beside what is live: both ran under the same conditions."""

from collections.abc import Mapping
from typing import Any, Final

MARGIN: Final = 0.1
"""Throughput that a candidate may lose beyond what is live loses; one failed run of twelve is 0.083."""


def brittle_by_stages(stages: Mapping[str, Any] | None) -> bool | None:
    """Tell whether hard conditions cost a candidate more than they cost what is live; None: not measured.

    `stages` has `candidate` and `live`, each with `commit` and `degradation` (0 to 1), or None. Sets of
    different commits are no comparison.
    """
    sides = [(stages or {}).get(side) or {} for side in ("candidate", "live")]
    lost = [side.get("degradation") for side in sides]
    same = sides[0].get("commit") == sides[1].get("commit")
    if lost[0] is None or lost[1] is None or not same:
        return None
    return bool(lost[0] > lost[1] + MARGIN)
