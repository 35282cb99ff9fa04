"""News of this app for whoever sits above; sent inside the transaction that made them true."""

from django.dispatch import Signal

acted = Signal()
"""A person, a command or the system did something: actor, verb, target, detail."""
