"""The policy of an engine's promotions: the gate's knobs, and whether people decide or the policy itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self

from engines.domain.errors import InvalidInput
from engines.domain.promotion import Kind
from engines.domain.results import Json
from forecasting.domain.gate import OPTIONAL, Policy

LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "tau": (0.0, 1.0),
    "max_p_collapse": (0.0, 1.0),
    "roi_floor": (0.0, 1e12),
    "impact_floor": (-1e12, 0.0),
    "evidence_hours": (0.1, 8760.0),
    "auto_per_day": (1, 100),
    "auto_confidence": (0.0, 1.0),
    "auto_max_p_collapse": (0.0, 1.0),
}
"""Allowed values of the numbers. A floor of ROI can't be negative: a sure loss is never promoted."""
WHOLE: Final = ("auto_per_day",)
MODES: Final = ("manual", "automatic")


@dataclass(frozen=True, kw_only=True)
class PromotionPolicy:
    """What an engine's promotions take. The first line of each comment is its help text on pages."""

    #: "manual": a person approves; "automatic": the policy approves within the limits below
    mode: Literal["manual", "automatic"] = "manual"
    #: an approver may approve what the gate holds, saying so; what it blocks, nobody may
    overrule_holds: bool = False
    #: confidence that a forecast needs, 0 to 1
    tau: float = 0.5
    #: probability of a collapse that is borne, 0 to 1
    max_p_collapse: float = 0.25
    #: ROI above which every projected cycle must lie
    roi_floor: float = 0.0
    #: ROI that a dependant may lose at most, as a negative number
    impact_floor: float = 0.0
    #: hours after which evidence is stale
    evidence_hours: float = 72.0
    #: hold where the impact on dependants was not measured
    require_impact: bool = False
    #: hold where code was not looked at for alignment flags
    require_flags: bool = False
    #: automatic mode may approve models
    auto_models: bool = True
    #: automatic mode may approve revisions of workflows
    auto_workflows: bool = False
    #: automatic mode approves so many a day at most
    auto_per_day: int = 1
    #: automatic mode takes this confidence
    auto_confidence: float = 0.7
    #: automatic mode bears this probability of a collapse: about one collapse in twenty is missed
    auto_max_p_collapse: float = 0.12
    #: automatic mode may approve code that nobody looked at for alignment flags
    auto_unflagged: bool = False
    #: automatic mode may approve models whose brittleness was not measured
    auto_unknown_brittleness: bool = False

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all knobs."""
        return tuple(field.name for field in fields(cls))

    def changed(self, values: Mapping[str, Any]) -> Self:
        """Return the policy with other values; InvalidInput names the one that is wrong."""
        for name, value in values.items():
            _check(self, name, value)
        return replace(self, **values)

    def knobs(self, *, flag_warning: float = 0.5, flag_failure: float = 0.9) -> Policy:
        """Return what the gate needs to know."""
        needed = {"impact": self.require_impact, "flags": self.require_flags}
        return Policy(
            tau=self.tau,
            max_p_collapse=self.max_p_collapse,
            roi_floor=self.roi_floor,
            impact_floor=self.impact_floor,
            evidence_hours=self.evidence_hours,
            flag_warning=flag_warning,
            flag_failure=flag_failure,
            required=tuple(name for name in OPTIONAL if needed[name]),
        )

    def objections(
        self,
        kind: str,
        *,
        verdict: str,
        unmeasured: tuple[str, ...],
        confidence: float | None,
        p_collapse: float | None,
        today: int,
    ) -> tuple[str, ...]:
        """Return why the policy can't approve by itself; empty when it can.

        `today`: how many it approved in the last 24 hours; `unmeasured`: codes of rules without evidence.
        """
        allowed = self.auto_models if kind == Kind.MODEL else self.auto_workflows
        sure = confidence is not None and confidence >= self.auto_confidence
        safe = p_collapse is not None and p_collapse <= self.auto_max_p_collapse
        missing = [code for code in unmeasured if code not in self.borne]
        found = {
            "the policy leaves decisions to people": self.mode != "automatic",
            f"the policy leaves {kind}s to people": not allowed,
            f"the gate says {verdict}": verdict != "promote",
            f"not measured: {', '.join(missing)}": bool(missing),
            f"the forecast's confidence is under {self.auto_confidence:g}": not sure,
            f"the probability of a collapse is over {self.auto_max_p_collapse:g}": not safe,
            f"{today} were approved in 24 hours, and {self.auto_per_day} may be": today >= self.auto_per_day,
        }
        return tuple(text for text, holds in found.items() if holds)

    @property
    def borne(self) -> tuple[str, ...]:
        """Codes of the rules whose evidence may be missing in automatic mode; a hold stays a hold."""
        allowed = {"flags": self.auto_unflagged, "brittle": self.auto_unknown_brittleness}
        return tuple(code for code, may in allowed.items() if may)

    def as_data(self) -> dict[str, Json]:
        """Return plain values."""
        return asdict(self)


def _check(policy: PromotionPolicy, name: str, value: Any) -> None:
    if name not in PromotionPolicy.names():
        known = ", ".join(PromotionPolicy.names())
        raise InvalidInput(f"{name[:40]!r} is no part of a policy; known: {known}", field=name[:40])
    if name == "mode":
        if value not in MODES:
            raise InvalidInput(f"mode is one of {', '.join(MODES)}", field=name)
    elif isinstance(getattr(policy, name), bool):
        if not isinstance(value, bool):
            raise InvalidInput(f"{name} is true or false", field=name)
    else:
        _check_number(name, value)


def _check_number(name: str, value: Any) -> None:
    low, high = LIMITS[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or (name in WHOLE and value != int(value)):
        raise InvalidInput(f"{name} lies between {low:g} and {high:g}", field=name)
