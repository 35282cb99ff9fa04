"""The promotion gate: evidence in, a verdict with its reasons out. Pure; nothing missing ever counts as good.

Each rule looks at one piece of evidence and says what it allows: `promote`, `hold` (wait for more) or `block`
(unsafe as things are). The verdict is the strictest of them. A rule whose evidence was not measured holds,
unless the piece may be missing (`OPTIONAL`) and the policy doesn't require it; that is said then, too.

The order of strictness is kept by every rule: worse evidence never gets a better verdict (property-tested).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeGuard

from forecasting.domain import gate_words as words

Verdict = Literal["promote", "hold", "block"]
STRICTNESS: Final[Mapping[str, int]] = {"promote": 0, "hold": 1, "block": 2}

PROMOTABLE: Final = ("Stable", "Slow decay")
"""The only forecasts with which anything may be promoted."""
UNSAFE: Final = ("Volatile", "Immediate collapse risk")
INSUFFICIENT: Final = "Insufficient data"

OPTIONAL: Final = ("impact", "flags")
"""What may be missing without holding, unless the policy requires it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The knobs of the gate. Numbers without a unit but for the two floors, which are ROI."""

    #: confidence of the forecast that it takes, 0 to 1
    tau: float = 0.5
    #: probability of a collapse that is borne, 0 to 1
    max_p_collapse: float = 0.25
    #: the projected ROI of every event ahead must lie above this
    roi_floor: float = 0.0
    #: no dependant may lose more than this (0: none may lose anything)
    impact_floor: float = 0.0
    #: severity of alignment flags, 0 to 1, from which on they hold, and block
    flag_warning: float = 0.5
    flag_failure: float = 0.9
    #: hours after which evidence is too old
    evidence_hours: float = 72.0
    #: under the first there is no verdict on the history, under the second a low one
    min_cycles: int = 3
    enough_cycles: int = 8
    #: which of `OPTIONAL` must have been measured
    required: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that the gate looks at. None always means "not measured"."""

    #: whether the gain over what is live is significant
    significant: bool | None = None
    #: its worth minus its cost, in ROI
    gain: float | None = None
    #: measured events of the subject's ROI history
    cycles: int | None = None
    #: label of the collapse forecast
    risk: str | None = None
    brittle: bool | None = None
    #: probability of a collapse, 0 to 1
    p_collapse: float | None = None
    #: projected ROI of each event ahead, and the upper bounds of its 80 % interval
    mean: tuple[float, ...] = ()
    upper80: tuple[float, ...] = ()
    #: confidence of that forecast, 0 to 1
    confidence: float | None = None
    #: change of ROI by dependant; empty: nothing depends on it
    impact: Mapping[str, float] | None = None
    #: whether code that did not run before would run
    changes_code: bool = True
    #: severity of the worst alignment flag, 0 (none) to 1
    flags: float | None = None
    #: self-tests of the code that would run
    tests_passed: int | None = None
    tests_failed: int | None = None
    #: hours since it was gathered
    age_hours: float | None = None
    #: why it is about a world that is gone, in words
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One rule's answer."""

    #: a stable word for programs, such as `confidence`
    code: str
    #: whether it speaks for promotion; None: not measured
    ok: bool | None
    #: one sentence for people
    text: str
    #: what would make it better; empty where it speaks for promotion
    what_would_change: str = ""
    #: the best verdict that it allows
    allows: Verdict = "promote"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The verdict, and each rule's reason in a fixed order."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = field(default=())

    @property
    def against(self) -> tuple[Reason, ...]:
        """The reasons that keep it from being promoted, the strictest first."""
        found = [reason for reason in self.reasons if reason.allows != "promote"]
        return tuple(sorted(found, key=lambda reason: -STRICTNESS[reason.allows]))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """The codes of the rules whose evidence is missing."""
        return tuple(reason.code for reason in self.reasons if reason.ok is None)

    @property
    def text(self) -> str:
        """The verdict in one sentence."""
        return words.verdict(self.verdict, [reason.text for reason in self.against], self.unmeasured)

    def as_data(self) -> dict[str, Any]:
        """Return plain lists and dicts."""
        return {
            "verdict": self.verdict,
            "text": self.text,
            "reasons": [asdict(reason) for reason in self.reasons],
            "unmeasured": list(self.unmeasured),
        }


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """Ask every rule; the verdict is the strictest answer."""
    reasons = tuple(rule(evidence, policy) for rule in RULES)
    strictest = max(reasons, key=lambda reason: STRICTNESS[reason.allows])
    return Decision(verdict=strictest.allows, reasons=reasons)


def _passes(code: str, text: str) -> Reason:
    return Reason(code=code, ok=True, text=text)


def _against(code: str, allows: Verdict, text: str, change: str) -> Reason:
    return Reason(code=code, ok=False, text=text, what_would_change=change, allows=allows)


def _missing(code: str, policy: Policy) -> Reason:
    """Return the answer to evidence that was not measured."""
    text, change = words.MISSING[code]
    needed = code not in OPTIONAL or code in policy.required
    return Reason(
        code=code, ok=None, text=text, what_would_change=change, allows="hold" if needed else "promote"
    )


def significance(evidence: Evidence, policy: Policy) -> Reason:
    """Ask for a gain that is significant and pays; no gain blocks."""
    if evidence.significant is None or evidence.gain is None:
        return _missing("gain", policy)
    if not evidence.significant:
        return _against("gain", "block", *words.NO_GAIN)
    if not evidence.gain > 0:
        return _against("gain", "block", *words.never_pays(evidence.gain))
    return _passes("gain", words.gain(evidence.gain))


def history(evidence: Evidence, policy: Policy) -> Reason:
    """Ask for a history that a forecast can stand on; a short one holds."""
    seen = evidence.cycles
    if seen is None:
        return _missing("history", policy)
    if seen < policy.min_cycles:
        return _against("history", "hold", *words.insufficient(seen, policy.min_cycles, policy.enough_cycles))
    if seen < policy.enough_cycles:
        return _against("history", "hold", *words.low_evidence(seen, policy.enough_cycles))
    return _passes("history", f"The forecast stands on {seen} measured cycles.")


def risk(evidence: Evidence, policy: Policy) -> Reason:
    """Let only `Stable` and `Slow decay` pass."""
    label = evidence.risk
    if not label or label == INSUFFICIENT:
        return _missing("risk", policy)
    if label in PROMOTABLE:
        return _passes("risk", f"The forecast is “{label}”.")
    if label in UNSAFE:
        return _against("risk", "block", *words.unsafe(label))
    return _against("risk", "block", *words.unknown_label(label))


def brittleness(evidence: Evidence, policy: Policy) -> Reason:
    """Block what loses much ROI for a little entropy."""
    if evidence.brittle is None and not evidence.changes_code:
        return Reason(code="brittle", ok=None, text=words.NO_CODE_ENTROPY)
    if evidence.brittle is None:
        return _missing("brittle", policy)
    if evidence.brittle:
        return _against("brittle", "block", *words.BRITTLE)
    return _passes("brittle", words.NOT_BRITTLE)


def collapse(evidence: Evidence, policy: Policy) -> Reason:
    """Block a probability of collapse beyond the policy's knob."""
    chance, limit = evidence.p_collapse, policy.max_p_collapse
    if not _is_share(chance):
        return _missing("p_collapse", policy)
    if chance > limit:
        return _against("p_collapse", "block", *words.likely_collapse(chance, limit))
    return _passes("p_collapse", f"A collapse has a probability of {chance:.0%}; up to {limit:.0%} is borne.")


def projection(evidence: Evidence, policy: Policy) -> Reason:
    """Ask for a projected ROI above the floor at every horizon; a sure loss at any of them blocks."""
    mean, upper, floor = evidence.mean, evidence.upper80, policy.roi_floor
    if not mean or len(upper) != len(mean) or any(each != each for each in (*mean, *upper)):
        return _missing("projection", policy)
    sure = _first(max(m, u) <= floor for m, u in zip(mean, upper, strict=True))
    if sure is not None:
        return _against("projection", "block", *words.sure_loss(sure, mean[sure], floor))
    doubtful = _first(each <= floor for each in mean)
    if doubtful is not None:
        return _against("projection", "hold", *words.doubtful(doubtful, mean[doubtful], floor))
    return _passes("projection", words.projected(min(mean), len(mean), floor))


def _first(found: Iterable[bool]) -> int | None:
    return next((index for index, each in enumerate(found) if each), None)


def confidence(evidence: Evidence, policy: Policy) -> Reason:
    """Hold a forecast that has been wrong too often (confidence under tau)."""
    sure = evidence.confidence
    if not _is_share(sure):
        return _missing("confidence", policy)
    if sure < policy.tau:
        return _against("confidence", "hold", *words.unsure(sure, policy.tau))
    return _passes("confidence", f"The forecast's confidence is {sure:.2f}; {policy.tau:.2f} is needed.")


def impact(evidence: Evidence, policy: Policy) -> Reason:
    """Block what costs a dependant more than the policy bears."""
    if evidence.impact is None:
        return _missing("impact", policy)
    if not evidence.impact:
        return _passes("impact", words.NO_DEPENDANTS)
    name, worst = min(evidence.impact.items(), key=lambda item: (item[1], item[0]))
    if not worst >= policy.impact_floor:
        return _against("impact", "block", *words.harmed(name, worst, policy.impact_floor))
    return _passes("impact", words.unharmed(len(evidence.impact), name, worst))


def flags(evidence: Evidence, policy: Policy) -> Reason:
    """Hold on alignment warnings, block on failures."""
    severity = evidence.flags
    if severity is None and not evidence.changes_code:
        return _passes("flags", words.NO_CODE_FLAGS)
    if not _is_share(severity):
        return _missing("flags", policy)
    if severity >= policy.flag_failure:
        return _against("flags", "block", *words.flagged(severity, policy.flag_failure))
    if severity >= policy.flag_warning:
        return _against("flags", "hold", *words.flagged(severity, policy.flag_warning))
    return _passes("flags", f"The worst alignment flag has a severity of {severity:.2f}.")


def self_tests(evidence: Evidence, policy: Policy) -> Reason:
    """Ask for self-tests of new code: a failed one blocks, none holds."""
    passed, failed = evidence.tests_passed, evidence.tests_failed
    if failed:
        return _against("self_tests", "block", *words.failed_tests(failed))
    if not evidence.changes_code and passed is None:
        return _passes("self_tests", words.NO_CODE_TESTS)
    if passed is None or failed is None:
        return _missing("self_tests", policy)
    if not passed:
        return _against("self_tests", "hold", *words.NO_TESTS)
    return _passes("self_tests", f"{passed} self-tests passed, none failed.")


def freshness(evidence: Evidence, policy: Policy) -> Reason:
    """Hold on evidence that is too old, or about something that has changed since."""
    age = evidence.age_hours
    if evidence.stale:
        return _against("freshness", "hold", *words.stale(evidence.stale))
    if age is None:
        return _missing("freshness", policy)
    if not age <= policy.evidence_hours:
        return _against("freshness", "hold", *words.old(age, policy.evidence_hours))
    return _passes("freshness", words.fresh(age))


def _is_share(value: float | None) -> TypeGuard[float]:
    """Tell whether it is a number from 0 to 1; a number that isn't one was not measured."""
    return value is not None and 0 <= value <= 1


Rule = Callable[[Evidence, Policy], Reason]
RULES: Final[tuple[Rule, ...]] = (
    significance,
    history,
    risk,
    brittleness,
    collapse,
    projection,
    confidence,
    impact,
    flags,
    self_tests,
    freshness,
)
