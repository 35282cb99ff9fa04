"""Whether the realised ROI of a promotion has left the band that its forecast drew. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

IN_A_ROW: Final = 2
"""So many events in a row under the 80 % band propose a roll-back; one alone under the 95 % band does.

With a calibrated forecast an event falls under the 80 % band with probability .1 and under the 95 % band with
probability .025, so that over 5 events a good promotion is questioned in about one case of seven.
"""


def left_band(
    realised: Mapping[int, float], lower80: Sequence[float], lower95: Sequence[float]
) -> dict[str, Any] | None:
    """Return how the ROI left the band downwards, or None while it hasn't.

    `realised`: ROI by the event's place in the horizon, from 0; places that were not measured are absent and
    break a row. ROI above the band is no reason to go back.
    """
    row: list[int] = []
    for place in range(len(lower80)):
        value = realised.get(place)
        if value is None or not value < lower80[place]:
            row = []
            continue
        row.append(place)
        if place < len(lower95) and value < lower95[place]:
            return _alarm("95 %", [place], realised, lower95)
        if len(row) >= IN_A_ROW:
            return _alarm("80 %", row, realised, lower80)
    return None


def _alarm(
    band: str, places: Sequence[int], realised: Mapping[int, float], lower: Sequence[float]
) -> dict[str, Any]:
    last = places[-1]
    times = "" if len(places) == 1 else f"{len(places)} times in a row, "
    return {
        "band": band,
        "places": list(places),
        "realised": [realised[place] for place in places],
        "lower": [lower[place] for place in places],
        "text": f"The realised ROI left the forecast's {band} band: {times}cycle {last + 1} after the "
        f"forecast brought {realised[last]:+.4g}, and the band ends at {lower[last]:+.4g}.",
    }
