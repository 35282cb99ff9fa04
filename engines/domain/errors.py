"""Errors that a person or a program caused and can mend.

MenaceError
├── InvalidInput        a value is wrong (HTTP 400/422, exit code 2)
│   ├── ManifestError   the bot's manifest is wrong
│   └── RegistrationError  the repository can't be taken under care
├── Conflict            the thing is in another state (HTTP 409, exit code 3)
│   └── Stale           the evidence is about a world that is gone; look again
├── NotAllowed          this person may not do this (HTTP 403, exit code 5)
├── NotConfigured       something this needs was not set up (exit code 4)
└── LeaseLost           another worker owns the cycle now; nothing was written
"""

from orphans.domain.errors import Conflict, InvalidInput, MenaceError, NotConfigured

__all__ = [
    "Conflict",
    "InvalidInput",
    "LeaseLost",
    "ManifestError",
    "MenaceError",
    "NotAllowed",
    "NotConfigured",
    "RegistrationError",
    "Stale",
]


class ManifestError(InvalidInput):
    """The manifest of a bot was refused; `field` is the key, `file` where it stands."""

    def __init__(self, message: str, *, file: str = "", field: str = "") -> None:
        super().__init__(message, field=field)
        self.file = file


class RegistrationError(InvalidInput):
    """A repository was refused; nothing was kept of it."""


class NotAllowed(MenaceError):
    """This person may not do this; the message says what is missing."""


class Stale(Conflict):
    """What a decision stood on has changed since; the message says what."""


class LeaseLost(MenaceError):
    """Another worker holds the lease by now, so this one's write was refused."""
