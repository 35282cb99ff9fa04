"""Flags that say when a module counts as complete."""

from typing import Any

import pytest
from django.core.management.base import CommandParser
from pytest_django.fixtures import Settings

from engines.domain.errors import InvalidInput
from engines.services import entropy_flags, module_progress


def options(*words: str) -> dict[str, Any]:
    """Return what the parser makes of words."""
    parser = CommandParser()
    entropy_flags.add_flags(parser)
    return vars(parser.parse_args(words))


@pytest.mark.parametrize("spelled", ["--consecutive", "--entropy-plateau-consecutive"])
def test_a_flag_is_the_setting_as_long_as_the_command_runs(spelled: str, settings: Settings) -> None:
    before = module_progress.limits()
    with entropy_flags.as_settings(options("--entropy-threshold", "0.2", spelled, "7")):
        limits = module_progress.limits()
        assert (limits.entropy, limits.consecutive, limits.plateau) == (0.2, 7, before.plateau)
    assert module_progress.limits() == before


@pytest.mark.parametrize(
    "words", [["--consecutive", "0"], ["--entropy-threshold", "nan"], ["--entropy-plateau-threshold", "-1"]]
)
def test_what_the_setting_would_refuse_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidInput), entropy_flags.as_settings(options(*words)):
        raise AssertionError("it was taken")
