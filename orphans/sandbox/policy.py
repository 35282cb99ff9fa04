"""What this machine must be able to hold before anything of a bot runs on it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

LAYERS: Final = ("namespaces", "landlock", "seccomp", "notify")
"""Walls that may be missing on a machine; what always holds needs no name."""
LONGEST: Final = 10**6
"""What no limit of warm servers reaches: seconds, or MiB."""


class SandboxUnavailable(RuntimeError):
    """A run was refused because this machine lacks what it needs; the message names it and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """How long a warm server may wait for runs, and how large it may be."""

    #: seconds without a run of its profile
    idle_seconds: float = 300.0
    #: resident; 0: there are no warm servers
    memory_mb: int = 1024

    def as_data(self) -> dict[str, float]:
        """Return `idle_seconds` and `memory_bytes`."""
        return {"idle_seconds": self.idle_seconds, "memory_bytes": self.memory_mb * 2**20}


@dataclass(frozen=True, slots=True)
class Policy:
    """Layers without which no run starts, and whether a machine without any wall may be used at all."""

    require: frozenset[str] = frozenset()
    allow_unisolated: bool = False
    warm: Warm = field(default_factory=Warm)

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
    """Read `SANDBOX_REQUIRE`, `SANDBOX_ALLOW_UNISOLATED` and the two of warm servers.

    Raises:
        SandboxUnavailable: one of the latter is no number that makes sense.
    """
    names = (name.strip() for name in environ.get("SANDBOX_REQUIRE", "").split(","))
    allowed = environ.get("SANDBOX_ALLOW_UNISOLATED", "").lower() in ("1", "true", "yes", "on")
    usual = Warm()
    warm = Warm(
        idle_seconds=_number(environ, "SANDBOX_WARM_IDLE_SECONDS", usual.idle_seconds, least=1),
        memory_mb=int(_number(environ, "SANDBOX_WARM_MEMORY_MB", usual.memory_mb)),
    )
    return Policy(frozenset(name for name in names if name), allowed, warm)


def _number(environ: Mapping[str, str], name: str, default: float, least: int = 0) -> float:
    text = environ.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not least <= value <= LONGEST:
        raise SandboxUnavailable(f"{name} must be a number from {least} to {LONGEST}")
    return value


_configured: list[Policy] = []


def configure(require: Iterable[str], allow_unisolated: bool, warm: Warm | None = None) -> None:
    """Set the policy of this process; without it the environment's variables count."""
    _configured[:] = [Policy(frozenset(require), allow_unisolated, warm or Warm())]


def current() -> Policy:
    """Return the policy of this process."""
    return _configured[0] if _configured else policy_of(os.environ)
