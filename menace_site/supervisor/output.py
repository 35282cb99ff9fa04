"""Prefixed lines of several processes on one terminal."""

import sys
import threading
from typing import IO, TextIO

COLOURS = {"menace": 1, "postgres": 34, "valkey": 31, "web": 32, "worker": 33, "beat": 36}
WIDTH = max(map(len, COLOURS))


class Console:
    """Prints whole lines, each with the name of who said it; in colour on a terminal only."""

    def __init__(self, stream: TextIO = sys.stdout, *, colour: bool | None = None) -> None:
        self._stream = stream
        self._colour = stream.isatty() if colour is None else colour
        self._lock = threading.Lock()

    def say(self, name: str, text: str) -> None:
        """Print the lines of `text` as said by `name`."""
        prefix = f"{name:<{WIDTH}} |"
        if self._colour:
            prefix = f"\x1b[{COLOURS.get(name, 35)}m{prefix}\x1b[0m"
        with self._lock:
            for line in text.splitlines():
                self._stream.write(f"{prefix} {line}\n")
            self._stream.flush()

    def follow(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Print what comes out of the pipe, from a thread that ends with it."""
        thread = threading.Thread(target=self._pump, args=(name, pipe), name=f"log-{name}", daemon=True)
        thread.start()
        return thread

    def _pump(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self.say(name, line.decode(errors="replace").rstrip("\n"))
