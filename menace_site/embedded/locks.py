"""Locks on files that the kernel drops by itself when their holder ends, by whatever way."""

import fcntl
import os
import time
from pathlib import Path


class FileLock:
    """An advisory lock on one file, shared or alone. It is held until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """Take the lock, waiting up to `timeout` seconds; False if others kept it that long."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = self._descriptor
        if descriptor is None:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    self._descriptor = None
                    return False
                time.sleep(0.02)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def held_by_somebody(self) -> bool:
        """Tell whether any process holds the lock right now; nothing is made where there is none."""
        if not self.path.exists():
            return False
        probe = FileLock(self.path)
        free = probe.acquire()
        probe.release()
        return not free
