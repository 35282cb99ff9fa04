"""Will a return on investment collapse? The verdict that a promotion hangs on.

`predict` reads the history of one subject and answers with a label, its probabilities, the probability of a
collapse, a course with the cycle in which it falls below half, whether the subject is brittle, and why.
The unit of the ROI is free: only its course counts.  What the labels mean stands in `collapse_labels`, how
they are found in docs/algorithms/collapse.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.domain.collapse_features import features, lone_dip
from forecasting.domain.collapse_labels import (
    HORIZON,
    IMMEDIATE,
    LABELS,
    LEVEL,
    SLOW,
    STABLE,
    UNKNOWN,
    VOLATILE,
    Array,
)
from forecasting.domain.collapse_model import shipped
from forecasting.domain.collapse_paths import NAMES
from forecasting.domain.collapse_policy import risk_score
from forecasting.domain.collapse_posterior import Posterior, posterior
from forecasting.domain.collapse_series import ENOUGH, FEWEST, History, Values, read_history
from forecasting.domain.collapse_short import ShortVerdict, judge_short, short_reference

Verdict = dict[str, Any]
SEVERITY: Final = (STABLE, SLOW, UNKNOWN, VOLATILE, IMMEDIATE)


def predict(roi: Values, entropy: Values | None = None, raroi: Values | None = None) -> Verdict:
    """Return the verdict on `roi`, oldest first, with the scenario `entropy` of the same cycles.

    Where the risk-adjusted `raroi` is given both are judged, and the worse verdict stands.  The mapping has

    * `risk`: one of LABELS or "Insufficient data"; `probabilities` by label; `brittle` and `p_brittle`
    * `p_collapse`: the probability of an immediate collapse; `risk_score`: what the gate's knob is set on,
      see `collapse_policy`; both None without a verdict
    * `collapse_in`: cycles until the expected ROI is at half of the reference (below 8 cycles of history: at
      nothing), 0 when the last one brought nothing, None when no collapse is foreseen
    * `curve`: the expected ROI of the next 5 cycles, in the unit of the input
    * `elasticity`: references lost per unit of entropy, None where entropy never rose
    * `evidence`: "none", "low" below 8 cycles, else "enough"; `cycles` read; `reason` in words

    ValueError for what is not a list of finite numbers, or lists of different lengths.
    """
    return predict_batch([{"roi": roi, "entropy": entropy, "raroi": raroi}])[0]


def predict_batch(items: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    """Return the verdicts on many mappings with `roi` and perhaps `entropy` and `raroi`, in their order."""
    histories = [_histories(item) for item in items]
    verdicts = iter(_judge_all([history for pair in histories for history in pair]))
    return [_worst([next(verdicts) for _ in pair]) for pair in histories]


def _histories(item: Mapping[str, Any]) -> list[History]:
    roi, entropy, raroi = item["roi"], item.get("entropy"), item.get("raroi")
    plain = read_history(roi, entropy)
    if raroi is None:
        return [plain]
    adjusted = read_history(raroi, entropy, "raroi")
    if len(raroi) != len(roi):
        raise ValueError(f"raroi has {len(raroi)} values and roi {len(roi)}: give one for each cycle")
    return [plain, adjusted]


@dataclass(frozen=True)
class _Found:
    """What the long way finds of one history."""

    posterior: Posterior
    chances: Array  # (4,)
    brittle: float
    label: int
    is_brittle: bool


def _judge_all(histories: Sequence[History]) -> list[Verdict]:
    long = [history for history in histories if _is_long(history)]
    found = iter(_find(long) if long else [])
    return [_long(each, next(found)) if _is_long(each) else _brief(each) for each in histories]


def _is_long(history: History) -> bool:
    return history.positive and len(history.values) >= ENOUGH


def _find(histories: Sequence[History]) -> list[_Found]:
    pairs = [posterior(each.values, each.entropy) for each in histories]
    inputs = [features(each.values, each.entropy, *pair) for each, pair in zip(histories, pairs, strict=True)]
    model = shipped()
    chances = model.chances(np.array(inputs))
    dips = [lone_dip(each.values, each.entropy, pair[1]) for each, pair in zip(histories, pairs, strict=True)]
    lengths = np.array([len(each.values) for each in histories])
    labels, brittle = model.rule.decide(chances, np.array(dips), lengths)
    return [
        _Found(pairs[i][1], chances.labels[i], float(chances.brittle[i]), int(labels[i]), bool(brittle[i]))
        for i in range(len(pairs))
    ]


def _brief(history: History) -> Verdict:
    if len(history.values) < FEWEST or not history.unit:
        return _unknown(history)
    if not history.positive:
        return _losing(history)
    return _short(history, judge_short(history.values, history.entropy))


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on ROI, or that on the risk-adjusted ROI where it is worse."""
    plain, adjusted = verdicts[0], verdicts[-1]
    order = [(SEVERITY.index(each["risk"]), each["p_collapse"] or 0.0) for each in verdicts]
    brittle = plain["brittle"] or adjusted["brittle"]
    if order[-1] <= order[0]:
        return {**plain, "brittle": brittle}
    return {**adjusted, "brittle": brittle, "reason": f"Of the risk-adjusted ROI: {adjusted['reason']}"}


def _unknown(history: History) -> Verdict:
    cycles = len(history.values)
    reason = f"{cycles} cycles are known, a verdict needs {FEWEST}."
    if cycles >= FEWEST:
        reason = (
            f"ROI was 0 in all {cycles} cycles: there is nothing that could collapse, and nothing earned."
        )
    return _verdict(history, UNKNOWN, {}, evidence="none", reason=reason)


def _losing(history: History) -> Verdict:
    """Return the verdict on a subject that earns nothing: there is no level that it could hold."""
    return _verdict(
        history,
        IMMEDIATE,
        dict.fromkeys(LABELS, 0.0) | {IMMEDIATE: 1.0},
        p_collapse=1.0,
        risk_score=1.0,
        collapse_in=0,
        curve=[float(np.median(history.values[-HORIZON:])) * history.unit] * HORIZON,
        evidence="enough" if len(history.values) >= ENOUGH else "low",
        reason="The mean ROI of the earlier cycles is not above 0: there is no gain left to lose.",
    )


def _short(history: History, found: ShortVerdict) -> Verdict:
    unit = history.unit * short_reference(history.values)
    chances = dict(zip(LABELS, map(float, found.probabilities), strict=True))
    label = LABELS[int(found.probabilities.argmax())]
    gone = np.flatnonzero(found.curve <= 1e-6)
    lost = 0 if history.values[-1] <= 0 else int(gone[0]) + 1 if len(gone) else None
    return _verdict(
        history,
        label,
        chances,
        p_collapse=chances[IMMEDIATE],
        risk_score=risk_score(chances, float(found.brittle)),
        brittle=found.brittle,
        elasticity=found.elasticity,
        collapse_in=lost,
        curve=_in_unit(found.curve, unit),
        evidence="low",
        reason=(
            f"Only {len(history.values)} cycles, so this says little: ROI moves by {found.slope:+.0%} of its "
            f"early level per cycle, and scatters by {found.noise:.0%}."
            + _brittle_words(found.brittle, found.elasticity)
        ),
    )


def _long(history: History, found: _Found) -> Verdict:
    chances = dict(zip(LABELS, map(float, found.chances), strict=True))
    label, seen = LABELS[found.label], found.posterior
    elasticity = seen.elasticity if (np.diff(history.entropy) > 1e-3).any() else None
    return _verdict(
        history,
        label,
        chances,
        p_collapse=chances[IMMEDIATE],
        p_brittle=found.brittle,
        risk_score=risk_score(chances, found.brittle),
        brittle=found.is_brittle,
        elasticity=elasticity,
        collapse_in=_collapse_in(history, seen) if label != STABLE else None,
        curve=_in_unit(seen.future, seen.reference * history.unit),
        evidence="enough",
        reason=_words(history, seen, label, chances[IMMEDIATE])
        + _doubt_words(label, chances)
        + _brittle_words(found.is_brittle, elasticity),
    )


def _in_unit(shares: Array, unit: float) -> list[float]:
    return [float(each) for each in np.round(shares, 6) * unit]


def _collapse_in(history: History, found: Posterior) -> int | None:
    """Return the first coming cycle in which the mean course is at the collapse level or below."""
    if history.values[-1] <= 0 and found.now <= LEVEL:
        return 0
    below = np.flatnonzero(found.future <= LEVEL)
    return int(below[0]) + 1 if len(below) else None


def _words(history: History, found: Posterior, label: str, collapse: float) -> str:
    course = NAMES[int(np.argmax(found.families))]
    return (
        f"{label}: after {len(history.values)} cycles the level is {found.now:.0%} of the reference and "
        f"{found.future[-1]:.0%} in {HORIZON} cycles (sd {found.deviation[-1]:.0%}), with noise of "
        f"{found.noise:.0%}; the course looks most like {course}. "
        f"A collapse to half within {HORIZON} cycles has probability {collapse:.2f}."
    )


def _doubt_words(label: str, chances: Mapping[str, float]) -> str:
    """Return why a subject is called volatile though a collapse is likelier: it isn't sure enough yet."""
    if label != VOLATILE or chances[IMMEDIATE] <= chances[VOLATILE]:
        return ""
    return " That is enough to block, but not to call it a collapse: the next cycles will show."


def _brittle_words(brittle: bool, elasticity: float | None) -> str:
    if not brittle or elasticity is None:
        return ""
    return (
        f" Brittle: a rise of entropy by 0.05 costs about {min(elasticity * 0.05, 1.0):.0%} of the reference."
    )


def _verdict(history: History, risk: str, probabilities: Mapping[str, float], **said: Any) -> Verdict:
    empty: Verdict = {
        "risk": risk,
        "brittle": False,
        "p_brittle": None,
        "p_collapse": None,
        "risk_score": None,
        "collapse_in": None,
        "curve": [],
        "probabilities": dict(probabilities),
        "evidence": "none",
        "cycles": len(history.values),
        "reason": "",
        "elasticity": None,
    }
    found = {**empty, **said}
    if history.since:
        found["reason"] += f" The {history.since} cycles before ROI rose above 0 are left out."
    return found
