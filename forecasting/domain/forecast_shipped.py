"""The forecast model that comes with the project: two files beside this module, arrays and their data card.

The card names the SHA-256 of the arrays, so a file that was cut off or changed isn't used.
`scripts/fit_forecast.py` remakes both.
"""

import functools
import hashlib
import json
from importlib import resources
from typing import Any, Final

from forecasting.domain.forecast_forest import BadModel, Forest, load

ARRAYS: Final = "forecast_model.npz"
CARD: Final = "forecast_model.json"


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a model's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


@functools.cache
def card() -> dict[str, Any]:
    """Return the shipped model's data card: version, digest, data, plan, backtest."""
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath(CARD).read_text())
    return found


@functools.cache
def shipped() -> Forest:
    """Return the shipped model. Raises BadModel when its file is missing or isn't what its card says."""
    try:
        data = resources.files(__package__).joinpath(ARRAYS).read_bytes()
        expected = str(card()["digest"])
    except (OSError, ValueError, KeyError) as error:
        raise BadModel(f"the shipped forecast model can't be read: {error}") from None
    return verified(data, expected)


def verified(data: bytes, digest: str) -> Forest:
    """Return the forest of a file's bytes; raises BadModel for another digest or an unsound file."""
    if digest_of(data) != digest:
        raise BadModel(f"the forecast model's file was changed: its digest isn't {digest[:12]}")
    return load(data)


def usable() -> tuple[Forest | None, str]:
    """Return the shipped forest and its name; None and "" where it can't be used."""
    try:
        return shipped(), f"global {card()['version']}"
    except BadModel:
        return None, ""
