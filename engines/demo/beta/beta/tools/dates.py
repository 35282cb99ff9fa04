"""Dates of visits."""

from datetime import date


def a_year_after(text: str) -> str:
    """Return the ISO date one year later; 29 February becomes 28 February."""
    day = date.fromisoformat(text)
    try:
        return day.replace(year=day.year + 1).isoformat()
    except ValueError:
        return day.replace(year=day.year + 1, day=28).isoformat()
