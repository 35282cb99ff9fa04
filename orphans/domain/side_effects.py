"""How much a run of a module did besides computing, as one number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orphans.domain.findings import Evidence

DEFAULT_THRESHOLD: Final = 10.0
"""`SANDBOX_SIDE_EFFECT_THRESHOLD`: a score above it is heavy."""

WEIGHTS: Final[Mapping[str, float]] = {
    "file_writes": 1.0,
    "network_connections": 1.0,
    "subprocesses": 1.0,
}
"""What is counted, and how much one attempt adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """The attempts of one run and what they add up to."""

    counts: Mapping[str, int]
    score: float
    threshold: float

    @property
    def is_heavy(self) -> bool:
        """Whether the module is to be skipped: the score is above the threshold."""
        return self.score > self.threshold

    @property
    def reason(self) -> str:
        """Say in one sentence what was counted and what follows."""
        listed = ", ".join(f"{count} {_words(kind, count)}" for kind, count in self.counts.items() if count)
        verdict = f"{'above' if self.is_heavy else 'within'} {self.threshold:g}"
        return f"side-effect score {self.score:g} ({listed or 'nothing attempted'}), {verdict}"

    def evidence(self) -> Evidence:
        """Return it as a fact of a verdict."""
        return Evidence(kind="side_effects", detail=self.reason)


def side_effects(
    counts: Mapping[str, int | None], threshold: float = DEFAULT_THRESHOLD
) -> SideEffects | None:
    """Return the score of one run: the weighted sum of its attempts, of no unit.

    Attempts count whether or not they were let through. Returns None when one of `WEIGHTS` was not
    measured: a score of what was seen by chance would call a module light that may not be.

    Raises:
        ValueError: a count or the threshold is negative.
    """
    if threshold < 0:
        raise ValueError(f"the side-effect threshold is {threshold}, but it must not be negative")
    measured = {kind: count for kind in WEIGHTS if (count := counts.get(kind)) is not None}
    if any(count < 0 for count in measured.values()):
        raise ValueError(f"counts of attempts must not be negative: {measured}")
    if len(measured) < len(WEIGHTS):
        return None
    score = sum(WEIGHTS[kind] * count for kind, count in measured.items())
    return SideEffects(counts=measured, score=score, threshold=threshold)


def _words(kind: str, count: int) -> str:
    words = kind.replace("_", " ")
    return words.removesuffix("es" if words.endswith("sses") else "s") if count == 1 else words
