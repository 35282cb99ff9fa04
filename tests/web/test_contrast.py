"""The colours of both themes keep WCAG's AA contrast of 4.5:1 for text."""

import re

import pytest
from django.conf import settings

ON_SURFACES = ("text", "muted", "faint", "accent", "good", "bad", "warn", "busy", "odd")
SURFACES = ("bg", "surface", "sunken", "hover")
CHIPS = (
    ("good", "good-bg"),
    ("bad", "bad-bg"),
    ("warn", "warn-bg"),
    ("busy", "busy-bg"),
    ("odd", "odd-bg"),
    ("muted", "calm-bg"),
    ("on-accent", "accent"),
    ("accent", "selected"),
    ("text", "selected"),
)
PAIRS = [*CHIPS, *((ink, paper) for ink in ON_SURFACES for paper in SURFACES)]


def themes() -> dict[str, dict[str, str]]:
    css = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    light = css[: css.index(':root[data-theme="dark"]')]
    dark = css[css.index(':root[data-theme="dark"]') : css.index("@media (prefers-color-scheme: dark)")]
    system = css[css.index("@media (prefers-color-scheme: dark)") :]
    parts = {"light": light, "dark": dark, "system dark": system}
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for name, part in parts.items()}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_can_be_read(theme: str, ink: str, paper: str) -> None:
    colours = themes()[theme]
    assert contrast(colours[ink], colours[paper]) >= 4.5


def test_the_systems_dark_is_the_chosen_dark() -> None:
    found = themes()
    assert found["system dark"] == found["dark"]
