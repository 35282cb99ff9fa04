"""Commands that need neither Django nor a database: `manage.py` starts them at once."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

PLAIN: Final[dict[tuple[str, str], str]] = {
    ("adaptive_roi", "forecast"): "forecasting.management.forecast_lines:main",
    ("foresight", "classify"): "forecasting.management.classify:main",
    ("orphans", "scan"): "orphans.discovery.cli:program",
    ("sandbox", "probe"): "orphans.sandbox.cli:probe_main",
    ("sandbox", "run"): "orphans.sandbox.cli:run_main",
}
"""The first two words of a command, and the `module:function` that takes the words after them."""


def plain_command(arguments: Sequence[str]) -> Callable[[Sequence[str]], int] | None:
    """Return what runs `manage.py A B …` without Django, or None when Django shall."""
    place = PLAIN.get((arguments[1], arguments[2])) if len(arguments) > 2 else None
    if place is None:
        return None
    module, _, name = place.partition(":")
    command: Callable[[Sequence[str]], int] = getattr(import_module(module), name)
    return command
