"""Where the kernel can't count: an audit hook inside the run. It explains, it misses, and it can be fooled.

Shipped as code to the run's first process. The counts go to the channel at the end as one line; nothing
is ever decided by them.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

WRITES: Final = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000
EXAMPLES: Final = 5
CHANGES: Final = frozenset({
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink",
    "sqlite3.connect",
})  # fmt: skip
CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
STARTS: Final = frozenset(
    ("subprocess.Popen", "os.system", "os.fork", "os.exec", "os.posix_spawn", "os.forkpty")
)


class Counter:
    """Counts events of the interpreter."""

    def __init__(self) -> None:
        self.counts = {"file_writes": 0, "network_connections": 0, "subprocesses": 0}
        self.examples: dict[str, list[str]] = {name: [] for name in self.counts}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Be the hook: called by the interpreter at every audited event."""
        name = kind_of(event, arguments)
        if name:
            self.counts[name] += 1
            if len(self.examples[name]) < EXAMPLES:
                self.examples[name].append(f"{event} {arguments[0]!r}"[:200] if arguments else event)


def kind_of(event: str, arguments: tuple[Any, ...]) -> str:
    """Return which count an event belongs to; empty: none."""
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & WRITES and path not in ("/dev/null", b"/dev/null")
        return "file_writes" if writes and "__pycache__" not in str(path) else ""
    if event in CHANGES:
        return "file_writes"
    if event in CONNECTS:
        return "network_connections"
    return "subprocesses" if event in STARTS else ""


def start() -> Counter:
    """Count from now on; return what counts."""
    counter = Counter()
    sys.addaudithook(counter)
    return counter
