"""News of the orphans app for whoever sits above; all are sent inside the transaction that made them true."""

from django.dispatch import Signal

acted = Signal()
"""A person, a token or the system did something: actor, verb, target, detail."""

batch_queued = Signal()
"""A set of self-tests waits for workers: batch_id, wake."""

batch_finished = Signal()
"""All modules of a set have their verdict, or it was cancelled: batch_id, subject, state."""

run_finished = Signal()
"""The self-test of one module has its verdict: run_id, batch_id, subject, path, state."""
