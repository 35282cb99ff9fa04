"""Will a return on investment collapse? The verdict that a promotion hangs on.

`predict` reads the history of one subject and answers with a label, its probabilities, the probability of a
collapse, a course with the cycle in which it falls below half, whether the subject is brittle, and why.
The unit of the ROI is free: only its course counts.  What the labels mean stands in `collapse_labels`, how
they are found in docs/algorithms/collapse.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from forecasting.domain.collapse_labels import (
    HORIZON,
    IMMEDIATE,
    LABELS,
    LEVEL,
    STABLE,
    UNKNOWN,
)
from forecasting.domain.collapse_paths import NAMES
from forecasting.domain.collapse_posterior import Posterior, posterior
from forecasting.domain.collapse_series import ENOUGH, FEWEST, History, read_history
from forecasting.domain.collapse_short import ShortVerdict, judge_short

Verdict = dict[str, Any]
SEVERITY: Final = (UNKNOWN, *LABELS)


def predict(
    roi: Sequence[float], entropy: Sequence[float] | None = None, raroi: Sequence[float] | None = None
) -> Verdict:
    """Return the verdict on `roi`, oldest first, with the scenario `entropy` of the same cycles.

    Where the risk-adjusted `raroi` is given both are judged, and the worse verdict stands.  The mapping has
    `risk` (one of LABELS or "Insufficient data"), `brittle`, `p_collapse` (None without a verdict),
    `collapse_in` (cycles, None when no collapse is foreseen), `curve` (expected ROI of the next cycles, in
    the unit of the input), `probabilities` by label, `evidence` ("none", "low" below 8 cycles, "enough"),
    `reason` in words, and `elasticity` (references lost per unit of entropy, None where entropy never rose).
    ValueError for what is not a list of finite numbers, or lists of different lengths.
    """
    verdict = _judge(read_history(roi, entropy))
    if raroi is None:
        return verdict
    adjusted = _judge(read_history(raroi, entropy, "raroi"))
    if len(raroi) != len(roi):
        raise ValueError(f"raroi has {len(raroi)} values and roi {len(roi)}: give one for each cycle")
    return _worse(verdict, adjusted)


def predict_batch(items: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    """Return the verdicts on many mappings with `roi` and perhaps `entropy` and `raroi`, in their order."""
    return [predict(item["roi"], item.get("entropy"), item.get("raroi")) for item in items]


def _judge(history: History) -> Verdict:
    if len(history.values) < FEWEST or not history.unit:
        return _unknown(history)
    if not history.positive:
        return _losing(history)
    if len(history.values) < ENOUGH:
        return _short(history, judge_short(history.values, history.entropy))
    return _long(history, posterior(history.values, history.entropy)[1])


def _worse(plain: Verdict, adjusted: Verdict) -> Verdict:
    order = [(SEVERITY.index(each["risk"]), each["p_collapse"] or 0.0) for each in (plain, adjusted)]
    if order[1] <= order[0]:
        return plain
    brittle = plain["brittle"] or adjusted["brittle"]
    return {**adjusted, "brittle": brittle, "reason": f"Of the risk-adjusted ROI: {adjusted['reason']}"}


def _unknown(history: History) -> Verdict:
    cycles = len(history.values)
    reason = f"{cycles} cycles are known, a verdict needs {FEWEST}."
    if cycles >= FEWEST:
        reason = (
            f"ROI was 0 in all {cycles} cycles: there is nothing that could collapse, and nothing earned."
        )
    return _verdict(UNKNOWN, {}, evidence="none", reason=reason)


def _losing(history: History) -> Verdict:
    """Return the verdict on a subject that earns nothing: there is no level that it could hold."""
    return _verdict(
        IMMEDIATE,
        dict.fromkeys(LABELS, 0.0) | {IMMEDIATE: 1.0},
        p_collapse=1.0,
        collapse_in=0,
        curve=[float(np.median(history.values[-HORIZON:])) * history.unit] * HORIZON,
        evidence="enough" if len(history.values) >= ENOUGH else "low",
        reason="The mean ROI of the earlier cycles is not above 0: there is no gain left to lose.",
    )


def _short(history: History, found: ShortVerdict) -> Verdict:
    unit = history.unit * float(history.values[: -(-3 * len(history.values) // 5)].mean())
    chances = dict(zip(LABELS, map(float, found.probabilities), strict=True))
    label = LABELS[int(found.probabilities.argmax())]
    gone = np.flatnonzero(found.curve <= 1e-6)
    lost = 0 if history.values[-1] <= 0 else int(gone[0]) + 1 if len(gone) else None
    return _verdict(
        label,
        chances,
        p_collapse=chances[IMMEDIATE],
        brittle=found.brittle,
        elasticity=found.elasticity,
        collapse_in=lost,
        curve=[float(each) for each in found.curve * unit],
        evidence="low",
        reason=(
            f"Only {len(history.values)} cycles, so this says little: ROI moves by {found.slope:+.0%} of its "
            f"early level per cycle, and scatters by {found.noise:.0%}."
            + _brittle_words(found.brittle, found.elasticity)
        ),
    )


def _long(history: History, found: Posterior) -> Verdict:
    chances = dict(zip(LABELS, map(float, found.labels), strict=True))
    label = max(LABELS, key=chances.__getitem__)
    brittle, elasticity = found.brittle >= 0.5, _known_elasticity(history, found)
    return _verdict(
        label,
        chances,
        p_collapse=chances[IMMEDIATE],
        brittle=brittle,
        elasticity=elasticity,
        collapse_in=_collapse_in(found) if label != STABLE else None,
        curve=[float(each) for each in found.future * found.reference * history.unit],
        evidence="enough",
        reason=_words(history, found, label) + _brittle_words(brittle, elasticity),
    )


def _known_elasticity(history: History, found: Posterior) -> float | None:
    return found.elasticity if (np.diff(history.entropy) > 1e-3).any() else None


def _collapse_in(found: Posterior) -> int | None:
    """Return the first coming cycle in which the mean course is at the collapse level or below."""
    below = np.flatnonzero(found.future <= LEVEL)
    return int(below[0]) + 1 if len(below) else None


def _words(history: History, found: Posterior, label: str) -> str:
    course = NAMES[int(np.argmax(found.families))]
    return (
        f"{label}: after {len(history.values)} cycles the level is {found.now:.0%} of the reference and "
        f"{found.future[-1]:.0%} in {HORIZON} cycles (sd {found.deviation[-1]:.0%}), with noise of "
        f"{found.noise:.0%}; the course looks most like {course}. "
        f"A collapse to half within {HORIZON} cycles has probability {found.labels[3]:.2f}."
    )


def _brittle_words(brittle: bool, elasticity: float | None) -> str:
    if not brittle or elasticity is None:
        return ""
    return (
        f" Brittle: a rise of entropy by 0.05 costs about {min(elasticity * 0.05, 1.0):.0%} of the reference."
    )


def _verdict(risk: str, probabilities: Mapping[str, float], **said: Any) -> Verdict:
    empty: Verdict = {
        "risk": risk,
        "brittle": False,
        "p_collapse": None,
        "collapse_in": None,
        "curve": [],
        "probabilities": dict(probabilities),
        "evidence": "none",
        "reason": "",
        "elasticity": None,
    }
    return {**empty, **said}
