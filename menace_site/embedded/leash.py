"""Kill whole process groups once their owner is gone, on every system that has pipes.

Run as a script it reads `+PID SIGNAL` and `-PID` lines from its standard input. The end of the input means
that the owner has ended, by whatever way: every group still listed gets its signal, and soon is killed.
`Leash` is the owner's end of that pipe.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 3.0


class Leash:
    """Holds process groups: they end with this process even if it is killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def hold(self, group: int, number: int) -> None:
        """Let the group end with us, by this signal first."""
        self._write(f"+{group} {number}\n")

    def release(self, group: int) -> None:
        """Forget a group that has ended."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End everything that is still held, and wait until it has ended."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(BrokenPipeError):  # a killed leash must not take its owner with it
            pipe.write(line.encode())
            pipe.flush()


def send(group: int, number: int) -> bool:
    """Signal a process group (0 only asks); False once nobody is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group that only holds zombies
        return False
    return True


def end(groups: dict[int, int]) -> None:
    """Stop the groups, the youngest first, and kill what has not gone within the grace period."""
    left = [group for group, order in reversed(groups.items()) if send(group, order)]
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [group for group in left if send(group, 0)]
    for group in left:
        send(group, signal.SIGKILL)


def main() -> None:
    """Follow the owner's orders until its end of the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the terminal's Ctrl-C is the owner's business
    groups: dict[int, int] = {}
    for line in sys.stdin:
        group, *order = (int(word) for word in line[1:].split())
        if line[0] == "+":
            groups[group] = order[0]
        else:
            groups.pop(group, None)
    end(groups)


if __name__ == "__main__":
    main()
