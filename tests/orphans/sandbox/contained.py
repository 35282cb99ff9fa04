"""Use the sandbox where a container's policy refuses namespaces and mounts, and tell how it went.

`python -I -S -B contained.py CHECKOUT` prints one JSON object. The policy is a filter of system calls as
Docker's default profile is: it holds for this process and all that it starts.
"""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from orphans.sandbox import Kind, Limits, RunSpec, SandboxUnavailable, SubprocessRunner, probe  # noqa: E402
from orphans.sandbox import filters as f  # noqa: E402
from orphans.sandbox.kernel import NEW_SPACES, PR_SET_NO_NEW_PRIVS, prctl  # noqa: E402

REFUSED = "unshare setns mount umount2 pivot_root open_tree move_mount fsopen fsmount mount_setattr"
LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_bytes=384 * 2**20, disk_bytes=8 * 2**20)


def confine() -> None:
    """Refuse namespaces and mounts to this process for good."""
    no = f.answer(f.ERROR | errno.EPERM)
    code = f.load(0)
    for name in REFUSED.split():
        code += f.rule(name, no)
    code += f.rule("clone3", f.answer(f.ERROR | errno.ENOSYS))
    code += f.rule("clone", [*f.argument(0), *f.has_bit(NEW_SPACES & ~0x80, no), *f.answer(f.ALLOW)])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    f.put(f.packed([*code, *f.answer(f.ALLOW)]), 0)


def told(checkout: Path, name: str) -> dict[str, Any]:
    """Run one function of the checkout; return what was measured of it."""
    spec = RunSpec(kind=Kind.CALL, target=f"tries:{name}", bare=True, checkout=checkout, limits=LIMITS)
    measured = SubprocessRunner().run(spec)
    attempts = measured.attempts
    return {
        "outcome": measured.outcome.value,
        "told": measured.explain(),
        "result": measured.result,
        "guarantees": dict(measured.guarantees),
        "counted": attempts
        and [attempts.file_writes, attempts.network_connections, attempts.subprocesses, attempts.exact],
    }


def main() -> None:
    """Print what held, how each function went, and what is said when namespaces are required."""
    confine()
    checkout = Path(sys.argv[1])
    found: dict[str, Any] = {"layers": probe().as_data()["layers"]}
    found |= {name: told(checkout, name) for name in sys.argv[2:]}
    os.environ["SANDBOX_REQUIRE"] = "seccomp,namespaces"
    try:
        told(checkout, sys.argv[2])
    except SandboxUnavailable as error:
        found["refused"] = str(error)
    found["probed"] = probe().as_data()["allowed"]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
