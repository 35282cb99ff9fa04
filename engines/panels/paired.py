"""What a paired test of challenger against champion said: in a sentence, and in figures."""

from collections.abc import Mapping
from typing import Any, Final

from engines.domain.wording import NOT_MEASURED, number, signed, word
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
MAX_FIGURES: Final = 40
ORDER: Final = (
    "metric", "uplift", "significant", "p_value", "alpha", "low", "high", "confidence",
    "method", "pairs", "decided_by", "mean_difference", "df", "variance_factor", "note",
)  # fmt: skip


def paired_test(data: Mapping[str, Any]) -> Panel | None:
    """Return `sentence` and `figures` of a test as it was kept; None where there is none."""
    if not data:
        return None
    return {"sentence": _sentence(data), "figures": figures(data, ORDER)}


def figures(data: Mapping[str, Any], order: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return names and texts, those in `order` first; what is nested or empty is left to the JSON view."""
    nested = (Mapping, list, tuple)
    flat = [name for name, value in data.items() if value != "" and not isinstance(value, nested)]
    places = {name: place for place, name in enumerate(order)}
    ordered = sorted(flat, key=lambda name: places.get(name, len(places)))[:MAX_FIGURES]
    return [(word(str(name)), _text(data[name])) for name in ordered]


def _text(value: Any) -> str:
    if value is None:
        return NOT_MEASURED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)


def _sentence(data: Mapping[str, Any]) -> str:
    """Return the difference with its interval, how probable chance is, and by what test; "" if unknown."""
    difference, p_value, alpha = data.get("mean_difference"), data.get("p_value"), data.get("alpha")
    if not is_number(difference):
        return ""
    said = f"{'Significant' if data.get('significant') is True else 'Not significant'}: {signed(difference)}"
    if data.get("metric"):
        said += f" in {word(str(data['metric']))}"
    said += _interval(data)
    if is_number(p_value) and is_number(alpha):
        said += f". p = {number(p_value)}, and at most {number(alpha)} is asked for"
    if data.get("method"):
        said += f" ({data['method']}, {number(data['pairs'])} pairs)" if is_number(data.get("pairs")) else ""
    return f"{said}."


def _interval(data: Mapping[str, Any]) -> str:
    low, high, confidence = (data.get(key) for key in ("low", "high", "confidence"))
    if not (is_number(low) and is_number(high) and is_number(confidence)):
        return ""
    return f", {number(100 * confidence)} % interval {signed(low)} to {signed(high)}"
