"""How long to wait before a fallen process is started again."""

from dataclasses import dataclass

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
STABLE_SECONDS = 60.0


@dataclass
class Backoff:
    """Doubles the pause after each fall, and forgets the falls of a process that ran long enough."""

    falls: int = 0

    def pause_after(self, ran_seconds: float) -> float:
        """Return the pause in seconds after a run of this length: 1, 2, 4, … at most 30."""
        if ran_seconds >= STABLE_SECONDS:
            self.falls = 0
        pause: float = min(FIRST_SECONDS * 2**self.falls, LONGEST_SECONDS)
        self.falls += 1
        return pause
