"""Characters that nobody sees become numbers; all others stay."""

import pytest

from engines.domain.unseen import visible, visible_data


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pkg/módulo_数.py", "pkg/módulo_数.py"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\u202eb", "a\\u202eb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u00adb\u200b", "a\\xadb\\u200b"),
        ("x\U000e0041", "x\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("\r", "\\x0d"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_data_is_cleaned_at_every_depth_and_nothing_else_changes() -> None:
    data = {"a\u200b": ["b\u202e", 1, None, {"c": ("d\x07", 0.5)}]}
    assert visible_data(data) == {"a\\u200b": ["b\\u202e", 1, None, {"c": ("d\\x07", 0.5)}]}
