"""Flags of commands as settings of this process: each sets its `SANDBOX_*` and `SELF_TEST_*` variables.

So a cycle, a self-test and what they start follow the same rules. The environment and the settings are put
back afterwards.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser

from orphans.services.presets import read_file

MIRRORED: Final[Mapping[str, tuple[str, ...]]] = {
    "include_orphans": ("include_orphans",),
    "recursive_include": ("recursive_orphans", "self_test_recursive_orphans"),
    "recursive_isolated": ("recursive_isolated", "self_test_recursive_isolated"),
    "discover_isolated": ("discover_isolated", "self_test_discover_isolated"),
    "auto_include_isolated": ("auto_include_isolated", "self_test_auto_include_isolated"),
    "include_redundant": ("test_redundant", "self_test_include_redundant"),
    "clean_orphans": ("clean_orphans", "self_test_clean_orphans"),
}
"""Option → the settings that it sets."""

IMPLIED: Final[Mapping[str, tuple[str, ...]]] = {
    "auto_include_isolated": ("discover_isolated", "recursive_isolated"),
}
"""Options that switch others on, unless those are given themselves."""

SPELLED: Final[Mapping[str, tuple[str, ...]]] = {
    "include_orphans": ("--include-orphans", "--discover-orphans"),
    "recursive_include": ("--recursive-include", "--recursive-orphans"),
    "include_redundant": ("--include-redundant", "--test-redundant"),
}
HELP: Final[Mapping[str, str]] = {
    "include_orphans": "look for orphan modules, test them and take them in (SANDBOX_INCLUDE_ORPHANS)",
    "recursive_include": "follow orphan modules through their imports (SANDBOX_RECURSIVE_ORPHANS)",
    "recursive_isolated": "follow isolated modules through their imports (SANDBOX_RECURSIVE_ISOLATED)",
    "discover_isolated": "look for isolated modules (SANDBOX_DISCOVER_ISOLATED)",
    "auto_include_isolated": "take in, look for, follow isolated modules (SANDBOX_AUTO_INCLUDE_ISOLATED)",
    "include_redundant": "also test what was judged redundant or legacy (SANDBOX_TEST_REDUNDANT)",
    "clean_orphans": "drop what passed from orphan_modules.json (SANDBOX_CLEAN_ORPHANS)",
}


def add_flags(parser: CommandParser) -> None:
    """Declare the flags; each has a `--no-…` form, and one that isn't given leaves the setting alone."""
    for name, text in HELP.items():
        words = SPELLED.get(name, (f"--{name.replace('_', '-')}",))
        parser.add_argument(*words, dest=name, action="store_true", default=None, help=text)
        negated = [f"--no-{word[2:]}" for word in words]
        parser.add_argument(*negated, dest=name, action="store_false", default=None, help=f"don't {text}")


def changes(options: Mapping[str, Any]) -> dict[str, bool]:
    """Return the settings that the given flags set.

    >>> changes({"recursive_include": False})
    {'recursive_orphans': False, 'self_test_recursive_orphans': False}
    """
    given = {name: options[name] for name in MIRRORED if options.get(name) is not None}
    found: dict[str, bool] = {}
    for name, value in given.items():
        for other in IMPLIED.get(name, ()) if value else ():
            if other not in given and not any(os.environ.get(variable(word)) for word in MIRRORED[other]):
                found.update(dict.fromkeys(MIRRORED[other], True))
    for name, value in given.items():
        found.update(dict.fromkeys(MIRRORED[name], value))
    return found


def variable(setting: str) -> str:
    """Return the environment variable of one of these settings."""
    return setting.upper() if setting.startswith("self_test_") else f"SANDBOX_{setting.upper()}"


@contextmanager
def as_settings(options: Mapping[str, Any]) -> Iterator[None]:
    """Make the flags the settings of this process and of what it starts, for as long as the block runs.

    A `preset_file` among the options takes the place of `SANDBOX_ENV_PRESETS`. Raises InvalidInput for one
    that can't be read or holds a preset that is refused.
    """
    changed: dict[str, Any] = changes(options)
    environ = {variable(name): str(int(value)) for name, value in changed.items()}
    if options.get("preset_file"):
        file = Path(options["preset_file"]).resolve()
        read_file(file)  # a bad one is refused before anything runs
        changed["env_presets"] = file
        environ["SANDBOX_ENV_PRESETS"] = str(file)
    before = {name: os.environ.get(name) for name in environ}
    kept = settings.SANDBOX
    os.environ.update(environ)
    settings.SANDBOX = kept.model_copy(update=changed)
    try:
        yield
    finally:
        settings.SANDBOX = kept
        for name in environ:
            os.environ.pop(name)
        os.environ.update({name: value for name, value in before.items() if value is not None})
