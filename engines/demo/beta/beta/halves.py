"""Visits and figures as letters had them, before the tools were shared."""

from datetime import date


def a_year_after(visit: str) -> str:
    """Return the ISO date of the next visit; 29 February becomes 28 February."""
    seen = date.fromisoformat(visit)
    try:
        return seen.replace(year=seen.year + 1).isoformat()
    except ValueError:
        return seen.replace(year=seen.year + 1, day=28).isoformat()


def nearest_half(number: float) -> float:
    """Round a number to the nearest half."""
    return round(number * 2) / 2
