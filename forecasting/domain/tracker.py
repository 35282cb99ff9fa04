"""`ROITracker`: what each update did to a subject's ROI, how well that was foretold, and what comes next.

A subject has a series for each scenario; the empty scenario is all of them together. An update costs the
same after a million as after ten: sums, smoothed values and the newest numbers are kept, nothing is counted
anew. No number is ever dropped as an outlier, and nothing stops by itself: `diminishing` and the entropy
say what they see.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import fmean
from typing import Any, Final

from forecasting.domain import confidence as trust
from forecasting.domain import entropy as entropies
from forecasting.domain.accuracy import Outcome
from forecasting.domain.confidence import RiskAdjusted, risk_adjusted
from forecasting.domain.finite import is_finite
from forecasting.domain.metrics import PREFIX, short
from forecasting.domain.tracker_series import KEEP, Foretold, Series

VERSION: Final = 1
TOLERANCE: Final = 0.01
HORIZON: Final = 5
ANSWER: Final = ("forecasting.domain.forecast", "answer")


Answer = Callable[..., Foretold]


def answer(values: Sequence[float], horizon: int, errors: Sequence[float] = ()) -> Foretold:
    """Ask the forecaster, which is loaded on use: it brings NumPy along."""
    module, name = ANSWER
    found: Foretold = getattr(import_module(module), name)(values, horizon, errors)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one update meant; None where it was not measured."""

    delta: float | None
    #: scaled error of what was foretold of it
    error: float | None
    #: change of `synergy_shannon_entropy`, bits
    entropy_delta: float | None
    confidence: float | None
    needs_review: bool


class ROITracker:
    """History, forecasts and trust of subjects.

    `tau`: confidence below which a subject goes to review; `tolerance`: share of a subject's usual ROI
    delta below which deltas count as none; `keep`: newest numbers kept of each series; `answer`: the
    forecaster.
    """

    def __init__(
        self,
        *,
        tau: float = trust.TAU,
        tolerance: float = TOLERANCE,
        keep: int = KEEP,
        answer: Answer = answer,
    ) -> None:
        if not 0 <= tau <= 1 or tolerance < 0 or keep < 2:
            raise ValueError(
                "tau lies from 0 to 1, the tolerance is 0 or more, and at least 2 numbers are kept"
            )
        self.tau, self.tolerance, self.keep = tau, tolerance, keep
        self._answer = answer
        self._series: dict[tuple[str, str], Series] = {}

    def update(
        self,
        before: float | None,
        after: float | None,
        metrics: Mapping[str, float | None] | None = None,
        resources: Mapping[str, float | None] | None = None,
        *,
        subject: str = "",
        scenario: str = "",
    ) -> Update:
        """Take a change of the ROI from `before` to `after`, and what was measured with it.

        `metrics`: synergy metrics, with or without their prefix; `resources`: what was used, which is added
        up. None: not measured. Raises ValueError for unknown metrics and for numbers that are not finite;
        then nothing was taken.
        """
        _finite({"before": before, "after": after})
        delta = entropies.change(before, after)
        known = {short(name): value for name, value in (metrics or {}).items()}
        plain, used = _finite(known), _finite(resources or {})
        _finite({"roi": delta})
        series = self._series.setdefault((subject, scenario), Series(self.keep))
        error, moved = series.add(delta, plain, used)
        sure = trust.confidence_of(list(series.roi.errors))
        return Update(
            delta=delta,
            error=error,
            entropy_delta=moved,
            confidence=sure,
            needs_review=trust.needs_review(sure, self.tau),
        )

    def series(self, subject: str = "", scenario: str = "") -> Series:
        """Return one series, empty for what was never updated."""
        return self._series.get((subject, scenario)) or Series(self.keep)

    def subjects(self) -> list[str]:
        """Return the subjects, sorted."""
        return sorted({subject for subject, _ in self._series})

    def scenarios(self, subject: str = "") -> list[str]:
        """Return the scenarios of a subject, sorted; the empty one is all of them together."""
        return sorted(scenario for name, scenario in self._series if name == subject)

    def history(self, subject: str = "", scenario: str = "") -> list[float]:
        """Return the newest ROI deltas, oldest first."""
        return list(self.series(subject, scenario).deltas)

    def forecast(self, horizon: int = HORIZON, *, subject: str = "", scenario: str = "") -> Foretold | None:
        """Return the next ROI deltas with their intervals; None without any history.

        The first step is kept, and the next update tells how wrong it was.
        """
        series = self.series(subject, scenario)
        if not series.deltas:
            return None
        found = self._answer(list(series.deltas), horizon, list(series.roi.errors))
        series.issue(found)
        return found

    def outcomes(self) -> list[Outcome]:
        """Return the forecasts of which a number came, by subject and scenario, oldest first."""
        return [
            each.outcome(subject, scenario)
            for (subject, scenario), series in sorted(self._series.items())
            for each in series.issued
            if each.actual
        ]

    def mae(self, subject: str = "", scenario: str = "") -> float | None:
        """Return the rolling mean of the scaled errors; 1 is as good as "the same again"."""
        return self.series(subject, scenario).roi.mae

    def reliability(self, metric: str = "", *, subject: str = "", scenario: str = "") -> float | None:
        """Return how exact the next forecast of the ROI or of a synergy metric will be, 0 to 1.

        It is `coverage.reliability` of the scaled errors so far. Where the ROI's `forecast` was asked for
        since the latest update, it is that forecast's confidence, which its interval has a part in.

        None before the first forecast met its outcome.
        """
        series = self.series(subject, scenario)
        if not metric:
            return series.reliability
        found = series.metrics.get(short(metric))
        return None if found is None else found.reliability

    def synergy_reliability(self, *, subject: str = "", scenario: str = "") -> float | None:
        """Return the reliability of the forecasts of `synergy_roi`."""
        return self.reliability("roi", subject=subject, scenario=scenario)

    def predict_synergy(self, *, subject: str = "", scenario: str = "") -> float | None:
        """Return the next `synergy_roi`; None when none was measured."""
        return self.predict_synergy_metric("roi", subject=subject, scenario=scenario)

    def predict_synergy_metric(self, name: str, *, subject: str = "", scenario: str = "") -> float | None:
        """Return the next value of a synergy metric; None when it was never measured.

        Raises ValueError for a name that the table of metrics doesn't have.
        """
        found = self.series(subject, scenario).metrics.get(short(name))
        return None if found is None else found.level

    def predict_all(self, subject: str = "", scenario: str = "") -> dict[str, float]:
        """Return the next value of every synergy metric that was measured, by its full name."""
        known = self.series(subject, scenario).metrics.items()
        return {PREFIX + name: each.level for name, each in known if each.level is not None}

    def confidence(self, subject: str = "", scenario: str = "") -> float | None:
        """Return 1 / (1 + mae + variance) of the scaled errors; None before the first."""
        return trust.confidence_of(list(self.series(subject, scenario).roi.errors))

    def needs_review(self, subject: str = "", scenario: str = "") -> bool:
        """Tell whether the confidence is below `tau` or not known: then a person reviews first."""
        return trust.needs_review(self.confidence(subject, scenario), self.tau)

    def risk_adjusted(
        self, base: float | None = None, *, subject: str = "", scenario: str = "", **risks: Any
    ) -> RiskAdjusted | None:
        """Return the risk-adjusted ROI with its parts; `base`: the smoothed ROI delta unless given.

        `risks`: `p_collapse`, `severity`, `safety`, `failing_suites`, as of `confidence.risk_adjusted`.
        """
        series = self.series(subject, scenario)
        known = series.roi.level if base is None else base
        if known is None:
            return None
        return risk_adjusted(known, recent=list(series.deltas)[-trust.SHORT :], **risks)

    def final_score(self, subject: str = "", scenario: str = "", **risks: Any) -> float | None:
        """Return risk-adjusted ROI x confidence; None where either is not known."""
        adjusted = self.risk_adjusted(subject=subject, scenario=scenario, **risks)
        return trust.final_score(
            None if adjusted is None else adjusted.value, self.confidence(subject, scenario)
        )

    def ranking(self) -> list[tuple[str, float | None, str]]:
        """Return subject, final score and `ready` or `review`: best first, those to review after the rest."""
        rows = [(name, self.final_score(name), self.needs_review(name)) for name in self.subjects()]
        rows.sort(key=lambda row: (row[2], row[1] is None, -(row[1] or 0.0), row[0]))
        return [(name, score, "review" if review else "ready") for name, score, review in rows]

    def entropy_deltas(self, subject: str = "", scenario: str = "") -> list[float | None]:
        """Return the newest changes of `synergy_shannon_entropy`; None where it was not measured."""
        return [each.entropy for each in self.series(subject, scenario).samples]

    def entropy_ceiling(
        self,
        threshold: float = entropies.ENTROPY_THRESHOLD,
        *,
        window: int = entropies.WINDOW,
        subject: str = "",
        scenario: str = "",
    ) -> bool:
        """Tell whether the mean ROI gain per bit fell below `threshold` usual ROI deltas."""
        series = self.series(subject, scenario)
        return entropies.entropy_ceiling(list(series.samples), threshold, window=window, scale=series.size)

    def entropy_plateau(
        self,
        threshold: float = entropies.PLATEAU_THRESHOLD,
        consecutive: int = entropies.CONSECUTIVE,
        *,
        subject: str = "",
        scenario: str = "",
    ) -> bool:
        """Tell whether the ROI gain per bit stayed below `threshold` for a full streak."""
        series = self.series(subject, scenario)
        return entropies.entropy_plateau(list(series.samples), threshold, consecutive, scale=series.size)

    def diminishing(self, consecutive: int = 5, *, subject: str = "", scenario: str = "") -> bool:
        """Tell whether the newest deltas are no more than `tolerance` of a usual one (root mean square)."""
        series = self.series(subject, scenario)
        newest = list(series.deltas)[-consecutive:]
        if len(newest) < consecutive:
            return False
        return math.sqrt(fmean(delta * delta for delta in newest)) <= self.tolerance * series.size

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON with a version."""
        rows = [[subject, scenario, each.to_dict()] for (subject, scenario), each in self._series.items()]
        own = {"tau": self.tau, "tolerance": self.tolerance, "keep": self.keep}
        return {"version": VERSION, **own, "series": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, answer: Answer = answer) -> "ROITracker":
        """Return what `to_dict` wrote; raises ValueError for another version."""
        if data.get("version") != VERSION:
            raise ValueError(f"a tracker of version {data.get('version')!r} can't be read, only {VERSION}")
        made = cls(tau=data["tau"], tolerance=data["tolerance"], keep=data["keep"], answer=answer)
        for subject, scenario, each in data["series"]:
            made._series[subject, scenario] = Series.from_dict(each, made.keep)
        return made


def _finite(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return what was measured; raises ValueError for what is no finite number."""
    for name, value in values.items():
        if value is not None and not is_finite(value):
            raise ValueError(f"{name} must be a finite number, not {value!r:.40}")
    return {name: float(value) for name, value in values.items() if value is not None}
