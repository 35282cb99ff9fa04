"""What linters find in some files of a checkout: `ruff check`, isolated, without running anything.

Its own rules, and those of flake8-bugbear and bandit that it carries. Neither settings nor `noqa` comments
of the checkout count: a bot doesn't grade itself.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from orphans.discovery.plain import ruff_program
from orphans.domain.source_quality import numbers, read_findings

RULES: Final = "E4,E7,E9,F,B,S"
NOT: Final = "S101"  # an assert is no weakness of code that is under test
SECONDS: Final = 20
MOST_BYTES: Final = 16 * 2**20


def findings(root: Path, paths: Sequence[str]) -> list[tuple[str, str]] | None:
    """Return path (relative to `root`) and rule of each finding; None where no linter could be asked."""
    program = ruff_program()
    if program is None or not paths:
        return None if paths else []
    command = [program, "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet",
               "--output-format", "json", "--select", RULES, "--ignore", NOT, "--", *paths]  # fmt: skip
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1"}
    try:
        ended = subprocess.run(
            command, cwd=root, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
        if ended.returncode or len(ended.stdout) > MOST_BYTES:
            return None
        told = read_findings(json.loads(ended.stdout))
    except (OSError, ValueError, RecursionError, subprocess.TimeoutExpired):
        return None
    base = root.resolve()
    return [
        (str(Path(name).relative_to(base)), rule) for name, rule in told if Path(name).is_relative_to(base)
    ]


def quality(root: Path, texts: Mapping[str, str]) -> dict[str, float | None]:
    """Return the raw numbers of some modules' source: their text by path below `root`."""
    return numbers(texts, findings(root, sorted(texts)) if texts else None)
