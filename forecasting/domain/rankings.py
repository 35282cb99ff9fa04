"""Which modules still pay: rankings by the ROI they brought, and those whose changes bring nothing any more.

A module is judged by its own samples, in units of what a cycle usually brings. Nothing is shared out: a
module whose ROI was not measured has no rank, and one of whose samples nothing is known is never called
complete.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Final

from forecasting.domain import entropy as entropies
from forecasting.domain.entropy import Sample

KEEP: Final = 20
"""Newest samples of a module that are kept."""
CEILING: Final = "modules hitting entropy ceiling"
DIMINISHING: Final = "sandbox diminishing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a module counts as complete. ROI and synergy in usual ROI deltas of a cycle, entropy in bits."""

    #: root mean square of the ROI deltas, below which they are none (`ROI_THRESHOLD`)
    roi: float = 0.01
    #: the same of `synergy_roi`, where it was measured (`SYNERGY_THRESHOLD`)
    synergy: float = 0.01
    #: mean ROI gain per bit (`ENTROPY_THRESHOLD`)
    entropy: float = entropies.ENTROPY_THRESHOLD
    #: ROI gain per bit of each sample of a plateau (`ENTROPY_PLATEAU_THRESHOLD`)
    plateau: float = entropies.PLATEAU_THRESHOLD
    #: samples in a row that make one (`ENTROPY_PLATEAU_CONSECUTIVE`)
    consecutive: int = entropies.CONSECUTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSample:
    """What one change of a module brought; None where it was not measured."""

    roi: float | None = None
    synergy: float | None = None
    #: change of the entropy of its calls, bits
    entropy: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a module counts as complete: the log line that tells it, and one sentence."""

    kind: str
    reason: str


def judge(samples: Sequence[ModuleSample], limits: Limits, *, scale: float | None) -> Mark | None:
    """Return why a module is complete; None while its changes may still pay or too little is known.

    `scale`: usual size of a cycle's ROI delta; None or 0: not known, and nothing is judged without it.
    """
    if not scale:
        return None
    moves = [Sample(roi=each.roi, entropy=each.entropy) for each in samples]
    if entropies.entropy_ceiling(moves, limits.entropy, scale=scale):
        return Mark(CEILING, f"less than {limits.entropy:g} of a usual ROI delta per bit of entropy")
    if entropies.entropy_plateau(moves, limits.plateau, limits.consecutive, scale=scale):
        told = f"gain per bit under {limits.plateau:g} in each of the last {limits.consecutive} samples"
        return Mark(DIMINISHING, told)
    if _flat(samples, limits, scale):
        told = f"ROI deltas under {limits.roi:g} of a usual one in the last {limits.consecutive} samples"
        return Mark(DIMINISHING, told)
    return None


def _flat(samples: Sequence[ModuleSample], limits: Limits, scale: float) -> bool:
    """Tell whether ROI, and synergy where it was measured, flattened out: steady gains are not flat."""
    gains = [each.roi for each in samples if each.roi is not None][-limits.consecutive :]
    synergies = [each.synergy for each in samples if each.synergy is not None][-limits.consecutive :]
    if len(gains) < limits.consecutive or _size(gains) > limits.roi * scale:
        return False
    return not synergies or _size(synergies) <= limits.synergy * scale


def _size(values: Sequence[float]) -> float:
    return math.sqrt(fmean(value * value for value in values))


class _Module:
    """Sums of one module, and its newest samples."""

    def __init__(self) -> None:
        self.recent: deque[ModuleSample] = deque(maxlen=KEEP)
        self.total = 0.0
        self.count = 0

    def add(self, sample: ModuleSample) -> None:
        self.recent.append(sample)
        if sample.roi is not None:
            self.total += sample.roi
            self.count += 1


class _SandboxMetaLogger:
    """What each cycle of a sandbox run did to the modules; an update costs the same after many cycles."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.complete: dict[str, Mark] = {}
        self._modules: dict[str, _Module] = {}
        self._sizes = 0.0
        self._cycles = 0

    def log_cycle(self, roi: float | None, modules: Mapping[str, ModuleSample]) -> dict[str, Mark]:
        """Take a cycle's ROI delta and what was measured of its modules; return those complete from now on.

        Raises ValueError for numbers that are not finite.
        """
        for value in (roi, *(number for each in modules.values() for number in asdict(each).values())):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"only finite numbers are measured, not {value!r}")
        if roi is not None:
            self._sizes += abs(roi)
            self._cycles += 1
        for name, sample in modules.items():
            self._modules.setdefault(name, _Module()).add(sample)
        found = {name: mark for name in sorted(modules) if (mark := self._judged(name))}
        new = {name: mark for name, mark in found.items() if name not in self.complete}
        self.complete.update(new)
        return new

    def _judged(self, name: str, limits: Limits | None = None) -> Mark | None:
        return judge(list(self._modules[name].recent), limits or self.limits, scale=self.scale)

    @property
    def scale(self) -> float | None:
        """Mean size of a cycle's ROI delta; None before the first."""
        return self._sizes / self._cycles if self._cycles else None

    def rankings(self) -> list[tuple[str, float]]:
        """Return the modules with the ROI they brought in all, best first; unmeasured ones are left out."""
        known = [(name, each.total) for name, each in self._modules.items() if each.count]
        return sorted(known, key=lambda row: (-row[1], row[0]))

    def diminishing(self, threshold: float | None = None, consecutive: int | None = None) -> list[str]:
        """Return the modules whose ROI deltas or gains per bit flattened out."""
        return self._marked(DIMINISHING, threshold, consecutive)

    def ceiling(self, threshold: float | None = None) -> list[str]:
        """Return the modules whose complexity no longer pays."""
        return self._marked(CEILING, threshold, None)

    def _marked(self, kind: str, threshold: float | None, consecutive: int | None) -> list[str]:
        own = self.limits
        limit = {} if threshold is None else {"roi": threshold, "entropy": threshold, "plateau": threshold}
        limits = Limits(**{**asdict(own), **limit, "consecutive": consecutive or own.consecutive})
        marks = {name: self._judged(name, limits) for name in sorted(self._modules)}
        return [name for name, mark in marks.items() if mark and mark.kind == kind]

    def reopen(self, name: str) -> bool:
        """Forget that a module is complete, and the samples that made it so; False when it wasn't."""
        if self.complete.pop(name, None) is None:
            return False
        self._modules[name].recent.clear()
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        modules = {
            name: {
                "recent": [asdict(sample) for sample in each.recent],
                "total": each.total,
                "count": each.count,
            }
            for name, each in self._modules.items()
        }
        complete = {name: asdict(mark) for name, mark in self.complete.items()}
        sums = {"sizes": self._sizes, "cycles": self._cycles}
        return {"limits": asdict(self.limits), "modules": modules, "complete": complete, **sums}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "_SandboxMetaLogger":
        """Return what `to_dict` wrote."""
        made = cls(Limits(**data["limits"]))
        for name, each in data["modules"].items():
            module = made._modules[name] = _Module()
            module.recent.extend(ModuleSample(**sample) for sample in each["recent"])
            module.total, module.count = each["total"], each["count"]
        made.complete = {name: Mark(**mark) for name, mark in data["complete"].items()}
        made._sizes, made._cycles = data["sizes"], data["cycles"]
        return made


def log_lines(marks: Mapping[str, Mark]) -> list[str]:
    """Return the lines that a cycle's log says of newly complete modules, each kind one line.

    >>> log_lines({"a.py": Mark(DIMINISHING, "flat")})
    ['sandbox diminishing: a.py (flat)']
    """
    kinds = sorted({mark.kind for mark in marks.values()})
    return [
        f"{kind}: "
        + ", ".join(f"{name} ({mark.reason})" for name, mark in sorted(marks.items()) if mark.kind == kind)
        for kind in kinds
    ]
