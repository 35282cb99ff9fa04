"""Replays: subjects judged cycle by cycle, how early a collapse is warned of and how often none comes.

Two kinds of simulated subjects are replayed.  Those that decline and collapse: from ten cycles before the
collapse on, the first warning counts.  Those that stay calm (level, growth, waves; stable, not brittle):
every warning is a false one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.domain.collapse_labels import HORIZON, STABLE, Array, Mask
from forecasting.domain.collapse_simulate import Subject

FIRST: Final = 8
"""Cycles known at the first judgement."""
DECLINES: Final = frozenset(
    {"steep decline", "accelerating decline", "erosion", "linear decline", "exponential decline"}
)
CALM: Final = frozenset({"level", "growth", "wave"})
_EARLIEST, _LATEST = 10, 4  # cycles before and after a collapse in which a warning counts


@dataclass(frozen=True)
class Moment:
    """What is known of a subject in one cycle of its replay."""

    subject: int
    roi: Array  # (seen,)
    entropy: Array  # (seen,)
    collapse: int | None  # the cycle in which the subject collapses; None for a calm one


def moments(items: Iterable[Subject]) -> list[Moment]:
    """Return every cycle of `items` in which a verdict is asked for, in order."""
    found = []
    for number, item in enumerate(items):
        roi = np.concatenate([item.roi, item.future])
        entropy = np.concatenate([item.entropy, np.full(HORIZON, item.entropy[-1])])
        collapse = item.collapses_at if item.family in DECLINES else None
        found += [Moment(number, roi[:seen], entropy[:seen], collapse) for seen in _asked(item, collapse)]
    return found


def _asked(item: Subject, collapse: int | None) -> range:
    if collapse is not None and collapse > FIRST:
        last = min(len(item.roi) + HORIZON, collapse + _LATEST)
        return range(max(FIRST, collapse - _EARLIEST), last + 1)
    if item.family in CALM and item.label == STABLE and not item.brittle:
        return range(FIRST, len(item.roi) + 1)
    return range(0)


def warnings(asked: Sequence[Moment], warned: Sequence[bool] | Mask) -> dict[str, float]:
    """Return how good the warnings are, given who was `warned` in each moment that was `asked`.

    `online_lead` is the median number of cycles between the first warning and the collapse, `online_caught`
    the share of collapses warned of at all, `online_in_time` that of HORIZON cycles ahead or more,
    `online_false_per_100` the false warnings per 100 calm cycles; nan of nothing.
    """
    leads: dict[int, int | None] = {}
    false = calm = 0
    for moment, warning in zip(asked, warned, strict=True):
        if moment.collapse is None:
            calm, false = calm + 1, false + bool(warning)
        elif leads.setdefault(moment.subject, None) is None and warning:
            leads[moment.subject] = moment.collapse - (len(moment.roi) - 1)
    caught = [lead for lead in leads.values() if lead is not None]
    in_time = sum(lead >= HORIZON for lead in caught)
    return {
        "online_lead": float(np.median(caught)) if caught else math.nan,
        "online_caught": len(caught) / len(leads) if leads else math.nan,
        "online_in_time": in_time / len(leads) if leads else math.nan,
        "online_false_per_100": 100 * false / calm if calm else math.nan,
    }
