"""News of the orphans app for whoever sits above; all are sent inside the transaction that made them true."""

from django.dispatch import Signal

acted = Signal()
"""A person, a token or the system did something: actor, verb, target, detail."""
