"""How good verdicts are: per label, and as a gate that lets through or blocks.

A gate blocks on Immediate, on Volatile, and on whatever is brittle.  A *false block* is a block of what may
pass by the truth; a *missed collapse* is an Immediate by the truth that isn't blocked.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import LABELS

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
FIRST_BLOCKED = 2  # of LABELS: from here on a gate blocks


def score(labels: Indices, brittle: Mask, found: Indices, found_brittle: Mask) -> dict[str, float]:
    """Return the scores of n verdicts; labels are indices into LABELS, and what has no case is nan."""
    blocked, block = (labels >= FIRST_BLOCKED) | brittle, (found >= FIRST_BLOCKED) | found_brittle
    immediate = labels == len(LABELS) - 1
    each = [f1(labels == label, found == label) for label in range(len(LABELS))]
    return {
        "macro_f1": float(np.nanmean(each)),
        "f1_immediate": each[-1],
        "false_block": share(block[~blocked]),
        "missed_collapse": share(~block[immediate]),
        "brittle_f1": f1(brittle, found_brittle),
        "gate_accuracy": share(block == blocked),
    }


def f1(truth: Mask, found: Mask) -> float:
    """Return the F1 of a yes-or-no answer, nan where there is neither a case nor an answer."""
    cases = int(truth.sum() + found.sum())
    return 2 * int((truth & found).sum()) / cases if cases else float("nan")


def share(of: Any) -> float:
    """Return the share of True, nan of nothing."""
    return float(np.mean(of)) if len(of) else float("nan")
