"""What the sandbox of this machine can promise, as plain values for commands and the health page."""

import os
import platform
from dataclasses import dataclass
from typing import Any, Final

from orphans.sandbox import policy
from orphans.sandbox.nursery import Nursery, shared

MEANS: Final = {
    "namespaces": "a private root, own processes and an own network: nothing outside can be seen or reached",
    "landlock": "the kernel's rules on files hold whatever the run's user may do",
    "seccomp": "system calls that lead out are refused",
    "notify": "file writes, connections and new processes are counted by the kernel",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One wall."""

    name: str
    held: bool
    #: why not; empty when it does
    reason: str
    #: what it is for, in words
    means: str
    #: whether runs are refused without it
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The walls of this machine, and whether runs may start on it."""

    layers: tuple[Layer, ...]
    #: "kernel": counts are exact; "hook": counted inside the run, which it could fool
    counter: str
    #: runs become another, unprivileged user (root), or have the worker's
    user: str
    #: why no run may start; empty: they may
    refused: str
    #: servers with loaded libraries: how long they wait for runs, how large they may be
    warm: policy.Warm

    @property
    def allowed(self) -> bool:
        """Whether runs may start here."""
        return not self.refused

    def as_data(self) -> dict[str, Any]:
        """Return a plain mapping, the same for page, API and command."""
        layers = {
            each.name: {
                "held": each.held, "reason": each.reason, "means": each.means, "required": each.required,
            }
            for each in self.layers
        }  # fmt: skip
        return {
            "layers": layers,
            "counter": self.counter,
            "user": self.user,
            "allowed": self.allowed,
            "refused": self.refused,
            "warm": {"idle_seconds": self.warm.idle_seconds, "memory_mb": self.warm.memory_mb},
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        }

    def as_text(self) -> str:
        """Return the layers for people, one a line."""
        lines = [
            f"{'holds  ' if each.held else 'MISSING'} {each.name}{' (required)' if each.required else ''}: "
            f"{each.means if each.held else each.reason}"
            for each in self.layers
        ]
        lines.append(f"attempts are counted by: {self.counter}; runs are: {self.user}")
        lines.append(
            f"warm servers end after {self.warm.idle_seconds:g} s without a run, "
            f"and at once over {self.warm.memory_mb} MiB"
            if self.warm.memory_mb
            else "there are no warm servers"
        )
        lines.append("runs may start" if self.allowed else f"no run may start: {self.refused}")
        return "\n".join(lines)


def probe(nursery: Nursery | None = None) -> Probe:
    """Ask the spawner of this process, which tried each layer when it started."""
    missing = (nursery or shared()).missing()
    rules = policy.current()
    try:
        rules.check(missing)
        refused = ""
    except policy.SandboxUnavailable as error:
        refused = str(error)
    layers = tuple(
        Layer(
            name=name,
            held=name not in missing,
            reason=missing.get(name, ""),
            means=MEANS[name],
            required=name in rules.require,
        )
        for name in policy.LAYERS
    )
    return Probe(
        layers=layers,
        counter="hook" if "notify" in missing else "kernel",
        user="a user of their own"
        if os.geteuid() == 0
        else "the worker's user, without any right over the machine",
        refused=refused,
        warm=rules.warm,
    )
