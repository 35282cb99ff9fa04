"""Flags of commands that say when a module counts as complete, as settings of this process."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser

from engines.domain.errors import InvalidInput

SPELLED: Final[Mapping[str, tuple[tuple[str, ...], type, str]]] = {
    "entropy_threshold": (
        ("--entropy-threshold",),
        float,
        "mean ROI gain per bit of entropy below which a module is complete (ENTROPY_THRESHOLD)",
    ),
    "entropy_plateau_threshold": (
        ("--entropy-plateau-threshold",),
        float,
        "ROI gain per bit below which a sample counts as flat (ENTROPY_PLATEAU_THRESHOLD)",
    ),
    "entropy_plateau_consecutive": (
        ("--entropy-plateau-consecutive", "--consecutive"),
        int,
        "flat samples in a row that make a plateau (ENTROPY_PLATEAU_CONSECUTIVE)",
    ),
}
"""Setting → its flags, kind and help; one that isn't given leaves the setting alone."""


def add_flags(parser: CommandParser) -> None:
    """Declare the flags."""
    for name, (words, kind, text) in SPELLED.items():
        parser.add_argument(*words, dest=name, type=kind, metavar="N", help=text)


@contextmanager
def as_settings(options: Mapping[str, Any]) -> Iterator[None]:
    """Make the flags the settings of this process, for as long as the block runs.

    Raises InvalidInput for a number that the setting wouldn't take either.
    """
    changed = {name: options[name] for name in SPELLED if options.get(name) is not None}
    if not all(map(math.isfinite, changed.values())):
        raise InvalidInput("thresholds are finite numbers", field="entropy_threshold")
    if changed.get("entropy_plateau_consecutive", 1) < 1:
        raise InvalidInput("--consecutive must be at least 1", field="consecutive")
    if changed.get("entropy_plateau_threshold", 0.0) < 0:
        raise InvalidInput(
            "--entropy-plateau-threshold must be at least 0", field="entropy_plateau_threshold"
        )
    kept = settings.SANDBOX
    settings.SANDBOX = kept.model_copy(update=changed)
    try:
        yield
    finally:
        settings.SANDBOX = kept
