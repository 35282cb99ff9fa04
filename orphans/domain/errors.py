"""Errors that a person or a program caused and can mend.

MenaceError
├── InvalidInput   a value is wrong (HTTP 400/422, exit code 2)
├── Conflict       the thing is in another state (HTTP 409, exit code 3)
└── NotConfigured  something this needs was not set up (exit code 4)

`engines.domain.errors` has the same classes and those of its own.
"""


class MenaceError(Exception):
    """Something went wrong that a message can explain."""


class InvalidInput(MenaceError):
    """A value was refused; `field` names it, the message says why and what would do."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(MenaceError):
    """The thing is in a state that doesn't allow this."""


class NotConfigured(MenaceError):
    """What this needs was not configured; the message says how to."""
