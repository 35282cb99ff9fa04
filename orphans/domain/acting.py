"""Who does something: what a service has to know of a person, a token, a command or the system."""

from dataclasses import dataclass
from typing import Final, Protocol


class Acting(Protocol):
    """Somebody who acts; whoever calls a service brings one of their own kind."""

    @property
    def user_id(self) -> int | None:
        """Primary key of the user behind it; None for the system and the command line."""
        ...

    @property
    def label(self) -> str:
        """What audit rows and pages show."""
        ...

    @property
    def kind(self) -> str:
        """One of "person", "token", "cli", "python" or "system"."""
        ...


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The plainest `Acting`."""

    user_id: int | None = None
    label: str = "system"
    kind: str = "system"


SYSTEM: Final = Actor()
CLI: Final = Actor(label="command line", kind="cli")
