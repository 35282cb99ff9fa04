"""Leases with fencing numbers, on the database's clock.

A worker claims a cycle with one UPDATE that raises `lease_token`; every later write of that worker names its
token, so a worker that was stopped, cut off or overtaken can't write any more, however late it wakes up.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from engines.domain.errors import LeaseLost
from engines.domain.states import Control

CLAIM = """
UPDATE engines_cycle AS c SET
    state = 'running', lease_owner = %(owner)s, lease_token = lease_token + 1, attempts = attempts + 1,
    takeovers = takeovers + (state = 'running')::int,
    lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    started_at = coalesce(started_at, clock_timestamp()),
    deadline_at = coalesce(deadline_at, clock_timestamp() + %(deadline)s * interval '1 second')
WHERE id = %(id)s AND attempts < %(max_attempts)s
    AND ((state = 'queued' AND (run_after <= clock_timestamp() OR %(now)s))
         OR (state = 'running' AND lease_until < clock_timestamp()))
    AND NOT EXISTS (SELECT 1 FROM engines_cycle o
                    WHERE o.engine_id = c.engine_id AND o.state = 'running' AND o.id <> c.id)
    AND EXISTS (SELECT 1 FROM engines_engine e WHERE e.id = c.engine_id AND e.enabled)
RETURNING lease_token, step, extract(epoch FROM deadline_at - clock_timestamp())::float8
"""

BEAT = """
UPDATE engines_cycle SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
RETURNING control
"""

FENCE = """
UPDATE engines_cycle SET
    lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    step = coalesce(%(step)s, step), steps_done = steps_done + %(done)s,
    attempts = CASE WHEN %(done)s > 0 THEN 1 ELSE attempts END,
    cpu_seconds = CASE WHEN %(cpu)s::float8 IS NULL THEN cpu_seconds
                       ELSE coalesce(cpu_seconds, 0) + %(cpu)s::float8 END
WHERE id = %(id)s AND lease_token = %(token)s AND state = 'running'
RETURNING control, CASE WHEN %(on_the_way)s THEN set_config('synchronous_commit', 'off', true) END
"""
"""The heartbeat waits for the row while such a transaction is open, so this lengthens the lease as well.

A step's end on the way need not wait for the disk: should the server crash right then, the step and its rows
are gone together, and it is repeated. Claims and ends of cycles do wait, and with them all that was before.
"""


@dataclass(frozen=True)
class Lease:
    """The right to move one cycle, valid while the row still has this token."""

    cycle_id: int
    token: int
    step: str
    #: seconds until the whole cycle's deadline, when it was claimed
    seconds_left: float
    claimed_at: float = field(default_factory=time.monotonic)

    def held_for(self) -> float:
        """Return the seconds since it was claimed."""
        return time.monotonic() - self.claimed_at

    def left(self) -> float:
        """Return the seconds until the whole cycle's deadline."""
        return self.seconds_left - self.held_for()


def claim(cycle_id: int, *, owner: str, ignore_back_off: bool = False) -> Lease | None:
    """Take the cycle if it waits or its lease ran out; None when it, or its engine, isn't free."""
    values: dict[str, Any] = {
        "id": cycle_id,
        "owner": owner[:120],
        "lease": settings.SANDBOX.lease_seconds,
        "deadline": settings.SANDBOX.cycle_deadline,
        "max_attempts": settings.SANDBOX.max_attempts,
        "now": ignore_back_off,
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CLAIM, values)
            row = cursor.fetchone()
    except IntegrityError:  # another cycle of the engine was claimed at the same moment
        return None
    return Lease(cycle_id, *row) if row else None


def beat(lease: Lease) -> Control:
    """Lengthen the lease and return what a person asked for; LeaseLost when it is another's by now."""
    return _owned(BEAT, lease, {})


@contextmanager
def fenced(
    lease: Lease,
    *,
    step: str | None = None,
    done: int = 0,
    cpu_seconds: float | None = None,
    on_the_way: bool = False,
) -> Iterator[Control]:
    """Open a transaction that commits only while the lease holds.

    `step` becomes the cycle's step, and `done` more of them are done. Yields what a person asked for: nobody
    can ask for anything else until the transaction ends. `on_the_way`: its commit need not wait for the disk.
    Raises LeaseLost when the lease is another's: nothing of the transaction stays.
    """
    with transaction.atomic():
        values = {"step": step, "done": done, "cpu": cpu_seconds, "on_the_way": on_the_way}
        yield _owned(FENCE, lease, values)


def _owned(statement: str, lease: Lease, values: dict[str, str | float | None]) -> Control:
    facts = {"id": lease.cycle_id, "token": lease.token, "lease": settings.SANDBOX.lease_seconds}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**facts, **values})
        row = cursor.fetchone()
    if row is None:
        raise LeaseLost(f"cycle {lease.cycle_id} belongs to another worker")
    return Control(row[0])
