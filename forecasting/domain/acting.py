"""Who does something: what a service has to know of a person, a token, a command or the system."""

from typing import Protocol


class Acting(Protocol):
    """Somebody who acts; whoever calls a service brings one of their own kind."""

    @property
    def user_id(self) -> int | None:
        """Primary key of the user behind it; None for the system and the command line."""

    @property
    def label(self) -> str:
        """What audit rows and pages show."""

    @property
    def kind(self) -> str:
        """One of "person", "token", "cli", "python" or "system"."""
