"""What this machine must be able to hold before anything of a bot runs on it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

LAYERS: Final = ("namespaces", "landlock", "seccomp", "notify")
"""Walls that may be missing on a machine; what always holds needs no name."""


class SandboxUnavailable(RuntimeError):
    """A run was refused because this machine lacks what it needs; the message names it and the way out."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Layers without which no run starts, and whether a machine without any wall may be used at all."""

    require: frozenset[str] = frozenset()
    allow_unisolated: bool = False

    def check(self, missing: Mapping[str, str]) -> None:
        """Raise SandboxUnavailable when a layer is missing; `missing` tells why, by its name."""
        for name in sorted(self.require):
            if name not in LAYERS:
                raise SandboxUnavailable(f"SANDBOX_REQUIRE names {name!r}; known are {', '.join(LAYERS)}")
            if name in missing:
                raise SandboxUnavailable(
                    f"SANDBOX_REQUIRE names {name}, which this machine lacks: {missing[name]}. "
                    "See `manage.py sandbox probe`."
                )
        if not self.allow_unisolated and {"namespaces", "landlock"} <= set(missing):
            raise SandboxUnavailable(
                "nothing on this machine keeps a run from the files of this user "
                f"(namespaces: {missing['namespaces']}; landlock: {missing['landlock']}); "
                "set SANDBOX_ALLOW_UNISOLATED=1 to run trusted code without isolation"
            )


def policy_of(environ: Mapping[str, str]) -> Policy:
    """Read `SANDBOX_REQUIRE` and `SANDBOX_ALLOW_UNISOLATED`."""
    names = (name.strip() for name in environ.get("SANDBOX_REQUIRE", "").split(","))
    allowed = environ.get("SANDBOX_ALLOW_UNISOLATED", "").lower() in ("1", "true", "yes", "on")
    return Policy(frozenset(name for name in names if name), allowed)


_configured: list[Policy] = []


def configure(require: Iterable[str], allow_unisolated: bool) -> None:
    """Set the policy of this process; without it the environment's two variables count."""
    _configured[:] = [Policy(frozenset(require), allow_unisolated)]


def current() -> Policy:
    """Return the policy of this process."""
    return _configured[0] if _configured else policy_of(os.environ)
