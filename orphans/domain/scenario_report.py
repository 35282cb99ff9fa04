"""What one function did under one preset: claims of the run, checked, beside the sandbox's facts."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orphans.domain.ingest import clean_text

Json = Any

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
WAYS: Final = ("call", "thread", "task")
MAX_ERRORS: Final = 50
MESSAGE_LENGTH: Final = 200

_NAME = re.compile(r"[A-Za-z_]\w{0,59}\Z", re.ASCII)


class ReportError(ValueError):
    """A run told something that can't be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the function, as the run tells it."""

    #: kind of its input: valid, misuse or hostile
    kind: str
    way: str
    #: class of the exception; None: it returned
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that one run tells of its calls."""

    calls: tuple[Call, ...]
    messages: Mapping[str, str]
    threads: int
    under_way: int


def read_told(document: Json, kinds: Sequence[str], expected: int) -> Told:
    """Check what a run returned: `expected` calls, of inputs whose kinds are `kinds`.

    Raises:
        ReportError: another shape, another number of calls, or a number that can't be.
    """
    try:
        calls = tuple(_call(row, kinds) for row in document["calls"])
        messages = {_name(name): text for name, text in list(document["messages"].items())[:MAX_ERRORS]}
        threads, under_way = document["threads"], document["under_way"]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ReportError(f"the run told no list of calls: {clean_text(str(error), 80)}") from None
    if len(calls) != expected:
        raise ReportError(f"the run told {len(calls)} calls, but {expected} were asked for")
    if not all(type(number) is int and 0 <= number <= expected for number in (threads, under_way)):
        raise ReportError("the run told impossible numbers of threads")
    shown = {name: clean_text(str(text), MESSAGE_LENGTH) for name, text in messages.items()}
    return Told(calls=calls, messages=shown, threads=threads, under_way=under_way)


def _call(row: Mapping[str, Json], kinds: Sequence[str]) -> Call:
    seconds, way, index = row["seconds"], row["way"], row["input"]
    bad_time = isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds)
    if bad_time or seconds < 0 or way not in WAYS or type(index) is not int or index < 0:
        raise ReportError("the run told a call that can't be")
    error = row["error"]
    return Call(
        kind=kinds[index], way=way, error=None if error is None else _name(error), seconds=float(seconds)
    )


def _name(text: Json) -> str:
    """Return the name of a class if it can be one."""
    return text if isinstance(text, str) and _NAME.match(text) else "?"


def summary(told: Sequence[Told]) -> dict[str, Json]:
    """Return counts, errors by class and quantiles of the latency in seconds of all runs together.

    Without a run that told its calls everything is None: not measured.
    """
    calls = [call for each in told for call in each.calls]
    if not calls:
        return dict.fromkeys(("calls", "outcomes", "errors", "messages", "latency", "threads", "under_way"))
    outcomes: dict[str, dict[str, int]] = {}
    for call in calls:
        counts = outcomes.setdefault(call.kind, {"ok": 0, "failed": 0})
        counts["ok" if call.error is None else "failed"] += 1
    errors = Counter(call.error for call in calls if call.error is not None)
    return {
        "calls": len(calls),
        "outcomes": outcomes,
        "errors": dict(errors.most_common(MAX_ERRORS)),
        "messages": {name: text for each in told for name, text in each.messages.items()},
        "latency": quantiles([call.seconds for call in calls]),
        "threads": max(each.threads for each in told),
        "under_way": max(each.under_way for each in told),
    }


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the quantiles of at least one number by nearest rank (Hyndman and Fan 1996, definition 1)."""
    ordered = sorted(seconds)
    ranks = {name: max(1, math.ceil(share * len(ordered))) for name, share in QUANTILES.items()}
    return {**{name: ordered[rank - 1] for name, rank in ranks.items()}, "max": ordered[-1]}
