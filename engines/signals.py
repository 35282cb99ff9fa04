"""News of the engines for whoever sits above; all are sent inside the transaction that made them true."""

from django.dispatch import Signal

acted = Signal()
"""A person, a token or the system did something: actor, verb, target, detail."""

cycle_queued = Signal()
"""A cycle waits for a worker: cycle."""

step_changed = Signal()
"""A step started or ended: cycle_id, engine, step, state, note, duration."""

cycle_finished = Signal()
"""A cycle came to an end: cycle."""

engine_freed = Signal()
"""An engine's running cycle was let go, so that another may run: engine_id."""

workflow_revised = Signal()
"""A workflow got a revision, or one of them another state: revision."""

promotion_changed = Signal()
"""A promotion was opened or went to another state: promotion."""

stages_asked = Signal()
"""A person asked for runs through the hard stages: order, plain data for the task."""

orphan_work_asked = Signal()
"""A person asked for work on an engine's orphan modules: order, plain data for the task."""
