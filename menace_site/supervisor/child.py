"""One supervised process: started, watched, started again, stopped within a bound."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from menace_site.embedded.processes import kill_rest, spawn, stop
from menace_site.supervisor.backoff import Backoff
from menace_site.supervisor.output import Console


@dataclass(frozen=True)
class Spec:
    """What to run. `patience` is how many seconds it may take to stop before it is killed."""

    name: str
    command: tuple[str, ...]
    patience: float


@dataclass
class Child:
    """A process that shall run."""

    spec: Spec
    console: Console
    environ: Mapping[str, str]
    cwd: Path
    backoff: Backoff = field(default_factory=Backoff)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0

    def start(self) -> None:
        """Start it now. Call it from the main thread: the kernel ends it with the thread that started it."""
        self.process = spawn(
            self.spec.command,
            output=subprocess.PIPE,
            environ=self.environ,
            cwd=self.cwd,
            orphaned=signal.SIGTERM,
        )
        self.started = time.monotonic()
        if self.process.stdout is not None:
            self.console.follow(self.spec.name, self.process.stdout)

    def watch(self) -> bool:
        """Start it again if it has fallen and its pause is over; True if that happened just now."""
        if self.process is None:
            if time.monotonic() < self.due:
                return False
            self.start()
            return True
        code = self.process.poll()
        if code is not None:
            self._fell(code)
        return False

    def _fell(self, code: int) -> None:
        if self.process is not None:
            kill_rest(self.process)
        self.process = None
        pause = self.backoff.pause_after(time.monotonic() - self.started)
        self.due = time.monotonic() + pause
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self.console.say("menace", f"{self.spec.name} {how}; starting it again in {pause:g} s")

    @property
    def pid(self) -> int | None:
        """Its process number while it runs."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def ask_to_stop(self) -> None:
        """Ask it to stop, without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it within its patience, then kill what is left of its group."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, patience=0.5 if at_once else self.spec.patience)
            self.process = None
