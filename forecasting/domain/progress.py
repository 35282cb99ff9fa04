"""A module's progress: each run moves its sums on, and a run that is told twice counts once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from forecasting.domain.entropy import change
from forecasting.domain.rankings import KEEP, Limits, Mark, ModuleSample, judge

Entry = Mapping[str, Any]
NUMBERS: Final = ("roi", "synergy", "entropy", "moved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Sums over all runs of a module, and the newest of them, oldest first.

    An entry has `order` (number of the cycle), `roi`, `synergy`, `entropy` (bits), `moved` (its change) and
    `spent` (a person reopened the module since); None is "not measured".
    """

    samples: int = 0
    roi_total: float | None = None
    roi_count: int = 0
    entropy_change: float | None = None
    entropy_changes: int = 0
    recent: Sequence[Entry] = field(default=())

    @property
    def entropy(self) -> float | None:
        """Entropy of the newest run that measured it."""
        return next((each["entropy"] for each in reversed(self.recent) if each["entropy"] is not None), None)

    def moved_on(
        self, order: int, *, roi: float | None, synergy: float | None, entropy: float | None
    ) -> "Progress":
        """Return the progress with one more run.

        A run of the same order replaces what was told of it; one from before the newest `KEEP` is known
        already.
        """
        known = [each for each in self.recent if each["order"] != order]
        if len(self.recent) >= KEEP and order < self.recent[0]["order"]:
            return self
        spent = any(each["order"] == order and each["spent"] for each in self.recent)
        entry = {"order": order, "roi": roi, "synergy": synergy, "entropy": entropy, "moved": None}
        entries = _linked(sorted([*known, {**entry, "spent": spent}], key=lambda each: int(each["order"])))
        before, after = _sums(self.recent), _sums(entries)
        gains, moves = self.roi_count + after[1] - before[1], self.entropy_changes + after[3] - before[3]
        return replace(
            self,
            samples=self.samples + len(entries) - len(self.recent),
            roi_total=(self.roi_total or 0.0) + after[0] - before[0] if gains else None,
            roi_count=gains,
            entropy_change=(self.entropy_change or 0.0) + after[2] - before[2] if moves else None,
            entropy_changes=moves,
            recent=entries[-KEEP:],
        )

    def reopened(self) -> "Progress":
        """Return the progress with which a new streak begins: what there was counts in the sums alone."""
        return replace(self, recent=[{**each, "spent": True} for each in self.recent])

    def judged(self, limits: Limits, *, scale: float | None) -> Mark | None:
        """Return why the module is complete; None while it isn't, or too little is known."""
        fresh = [each for each in self.recent if not each["spent"]]
        samples = [
            ModuleSample(roi=each["roi"], synergy=each["synergy"], entropy=each["moved"]) for each in fresh
        ]
        return judge(samples, limits, scale=scale)


def _linked(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with the change of the entropy from run to run; that of the first stays."""
    last: float | None = None
    found: list[Entry] = []
    for place, each in enumerate(entries):
        moved = change(last, each["entropy"]) if place else each["moved"]
        found.append({**each, "moved": moved})
        last = last if each["entropy"] is None else each["entropy"]
    return found


def _sums(entries: Sequence[Entry]) -> tuple[float, int, float, int]:
    gains = [each["roi"] for each in entries if each["roi"] is not None]
    moves = [abs(each["moved"]) for each in entries if each["moved"] is not None]
    return sum(gains), len(gains), sum(moves), len(moves)
