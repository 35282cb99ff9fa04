"""Leases of self-tests with fencing numbers, on the database's clock."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from orphans.sandbox import Cancel

LEASE_SECONDS: Final = 15.0
BEAT_SECONDS: Final = 2.0
MAX_ATTEMPTS: Final = 3

CLAIM = """
UPDATE orphans_modulerun SET
    state = 'running', lease_owner = %(owner)s, lease_token = lease_token + 1, attempts = attempts + 1,
    lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    started_at = coalesce(started_at, clock_timestamp())
WHERE id = (
    SELECT r.id FROM orphans_modulerun r
    WHERE r.batch_id = %(batch)s
        AND (r.state = 'queued' OR (r.state = 'running' AND r.lease_until < clock_timestamp()))
    ORDER BY r.id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, lease_token, attempts
"""

BEAT = """
UPDATE orphans_modulerun r SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM orphans_selftestrun b
WHERE r.id = %(id)s AND r.lease_token = %(token)s AND r.state = 'running' AND b.id = r.batch_id
RETURNING b.cancel_asked
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one self-test's verdict, while its row still has this token."""

    run_id: int
    token: int
    #: how often it was claimed, this time included
    attempts: int


def claim(batch_id: int, owner: str) -> Lease | None:
    """Take the next self-test of a set that waits or whose worker is gone; None when there is none."""
    values: dict[str, Any] = {"batch": batch_id, "owner": owner[:120], "lease": LEASE_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    return Lease(*row) if row else None


@dataclass
class Watch:
    """What a run polls: it keeps the lease alive, and is set once the run should stop."""

    lease: Lease
    #: what else may stop it, such as the cycle's own pulse
    outer: Cancel | None = None
    #: another worker has the self-test now
    lost: bool = False
    asked: bool = False
    _next: float = field(default=0.0)

    def is_set(self) -> bool:
        """Return whether the run shall end; asks the database every two seconds."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + BEAT_SECONDS
            self._beat()
        return self.lost or self.asked or (self.outer is not None and self.outer.is_set())

    def _beat(self) -> None:
        mine: dict[str, Any] = {"id": self.lease.run_id, "token": self.lease.token, "lease": LEASE_SECONDS}
        with connection.cursor() as cursor:
            cursor.execute(BEAT, mine)
            row = cursor.fetchone()
        self.lost = row is None
        self.asked = bool(row and row[0])
