"""The knob of the gate: how many collapses may be missed, and the score that keeps to it.

The risk score of a verdict is the probability of a collapse against that of a course that may be promoted,

    score = P(Immediate) / (P(Immediate) + P(Stable or Slow decay, not brittle)),

the likelihood-ratio order, in which a given share of collapses is caught with the fewest false blocks (Neyman
& Pearson 1933); subjects that are blocked anyway, as volatile or brittle, don't count against it.  A gate
with the knob blocks where the score is at the threshold or above.

The threshold comes by conformal risk control (Angelopoulos et al. 2024): take the scores of n decided
subjects that did collapse, and choose the largest threshold t with (missed(t) + 1) / (n + 1) <= allowed,
where missed(t) counts the scores below t.  For exchangeable subjects the expected share of missed
collapses is then at most `allowed`, whatever the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from forecasting.domain.collapse_labels import IMMEDIATE, SLOW, STABLE

THRESHOLDS: Final[Mapping[float, float]] = {0.02: 0.0789, 0.05: 0.1252, 0.1: 0.2637, 0.13: 0.3759}
"""Allowed share of missed collapses, and the threshold on the score (or above) that keeps to it."""
P_COLLAPSE_LIMITS: Final[Mapping[float, float]] = {0.02: 0.0745, 0.05: 0.1177, 0.1: 0.251}
"""The same for `p_collapse`, in a gate that blocks on labels and brittleness anyway."""


def risk_score(probabilities: Mapping[str, float], p_brittle: float) -> float:
    """Return the score, 0 to 1, of a verdict's `probabilities` by label."""
    collapse = probabilities[IMMEDIATE]
    allowed = (probabilities[STABLE] + probabilities[SLOW]) * (1 - p_brittle)
    return collapse / (collapse + allowed) if collapse + allowed > 0 else 1.0


def calibrated_threshold(scores: Sequence[float], collapsed: Sequence[bool], allowed: float) -> float:
    """Return the threshold for at most `allowed` missed collapses, from decisions whose end is known.

    `scores` are the risk scores of past verdicts and `collapsed` says of each whether ROI then fell to half
    of the reference or below within the horizon.  With so few collapses that nothing can be promised,
    fewer than 1 / `allowed` - 1, the answer is 0.0: block everything.  ValueError for shares outside 0 to 1,
    lists of different lengths, or scores that aren't finite.
    """
    if not 0 < allowed < 1:
        raise ValueError(f"the allowed share of missed collapses must lie between 0 and 1, not {allowed}")
    if len(scores) != len(collapsed):
        raise ValueError(f"{len(scores)} scores and {len(collapsed)} ends: give one for each decision")
    found = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ValueError("every score must be a finite number")
    ends = np.sort(found[np.asarray(collapsed, dtype=bool)])
    missed = int(np.floor(allowed * (len(ends) + 1))) - 1
    return float(ends[min(missed, len(ends) - 1)]) if missed >= 0 else 0.0


def blocks(verdict: Mapping[str, Any], threshold: float) -> bool:
    """Say whether a gate with this threshold blocks on `verdict`; without a score it always does."""
    score = verdict.get("risk_score")
    return score is None or score >= threshold
