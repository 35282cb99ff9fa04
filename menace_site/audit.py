"""The audit log: one row for each act, and each row's hash covers the row before.

The database refuses to change or delete rows (see the migration). Whoever gets round that still breaks the
chain, which `verify` finds; cutting off the newest rows is found by comparing with a head kept elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.dispatch import receiver

from engines.signals import acted
from forecasting import signals as forecasting
from menace_site.models import AuditEntry
from orphans import signals as orphans
from orphans.domain.acting import Acting

LOCK = 0x4D454E41
"""Key of the advisory lock that puts writers of the chain in a row; held to the end of the transaction."""

EXACT = 2**53
HEAD = "SELECT clock_timestamp(), (SELECT sha256 FROM menace_site_auditentry ORDER BY id DESC LIMIT 1)"


def record(*, actor: Acting, verb: str, target: str, detail: Mapping[str, Any] | None = None) -> AuditEntry:
    """Append one act inside the caller's transaction; it stays or vanishes with what it tells of."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(HEAD)
        at, previous = cursor.fetchone()
        entry = AuditEntry(
            at=at,
            actor=clean(actor.label)[:150],
            actor_kind=clean(actor.kind)[:10],
            user_id_at_time=actor.user_id,
            verb=clean(verb)[:40],
            target=clean(target)[:150],
            detail=plain(detail or {}),
            previous=previous or "",
        )
        entry.sha256 = digest(entry)
        entry.save(force_insert=True)
    return entry


@receiver([acted, orphans.acted, forecasting.acted])
def on_act(*, actor: Acting, verb: str, target: str, detail: Mapping[str, Any], **_: Any) -> None:
    """Receive the apps' news of acts."""
    record(actor=actor, verb=verb, target=target, detail=detail)


def digest(entry: AuditEntry) -> str:
    """Return the SHA-256 of what the row says and of the hash before it."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [
        at,
        entry.actor,
        entry.actor_kind,
        entry.user_id_at_time,
        entry.verb,
        entry.target,
        plain(entry.detail),
    ]
    text = json.dumps([entry.previous, *said], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(*, head: str = "") -> AuditEntry | None:
    """Return the first row that breaks the chain, or None.

    With `head` (a hash noted earlier, elsewhere) rows cut off since are found too: raises LookupError when no
    row has that hash any more.
    """
    previous, seen = "", not head
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous != previous or entry.sha256 != digest(entry):
            broken: AuditEntry = entry
            return broken
        previous = entry.sha256
        seen = seen or previous == head
    if not seen:
        raise LookupError(f"no row has the hash {head}: the log was cut off")
    return None


def head() -> tuple[int, datetime, str] | None:
    """Return id, time and hash of the newest row, to be noted elsewhere."""
    newest: AuditEntry | None = AuditEntry.objects.order_by("-id").first()
    return (newest.pk, newest.at, newest.sha256) if newest else None


def plain(value: Any) -> Any:
    """Return the value as JSON that PostgreSQL gives back unchanged: no NUL, no NaN, no 1.0 for 1."""
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    return clean(str(value))


def _number(value: float) -> int | float | str:
    """Keep what reads the same after a round trip; name the rest by its text."""
    if not abs(value) < EXACT:  # neither are NaN and infinity
        return repr(value)
    return int(value) if value == int(value) else float(value)


def clean(text: str) -> str:
    """Return the text without what PostgreSQL can't keep."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
