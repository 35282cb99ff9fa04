"""The event bus: news of the apps on Redis streams, one bounded stream a topic.

Publishing never holds up a worker or a page: it happens after the commit, with short time-outs, and not at
all for some seconds after Redis failed to answer. What was lost is counted; the rows remain the truth.
"""

import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.dispatch import receiver
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from engines.domain.promotion import OPEN
from engines.models import Cycle, Promotion, WorkflowRevision
from engines.signals import (
    cycle_finished,
    cycle_queued,
    promotion_changed,
    step_changed,
    workflow_revised,
)

log = logging.getLogger(__name__)

TOPICS = {
    "cycle:queued": "a cycle waits for a worker",
    "cycle:step": "a step of a cycle started or ended",
    "cycle:finished": "a cycle came to an end",
    "alignment:flag": "a diff was flagged",
    "promotion:opened": "a candidate came before people with the gate's verdict",
    "promotion:decided": "a promotion was approved, rejected, applied, rolled back or otherwise ended",
    "workflows:new": "a workflow got a new revision",
}
RANKS = {topic: rank for rank, topic in enumerate(TOPICS)}
PREFIX = "menace:"
DROPPED = "menace:events:dropped"
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 5.0
FIELD = b"data"


@dataclass(frozen=True)
class Event:
    """One message of a topic."""

    #: the stream's id, such as `1763843700000-0`: milliseconds and a counter
    id: str
    topic: str
    data: Mapping[str, Any]


class Bus:
    """The bounded streams of one Redis."""

    def __init__(self, url: str, *, maxlen: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._maxlen = maxlen
        self._clock = clock
        self._away_until = float("-inf")
        self._lock = threading.Lock()
        #: messages that could not be published and are not yet counted in Redis
        self.dropped = 0

    def publish(self, topic: str, data: Mapping[str, Any]) -> bool:
        """Append a message; False (and counted) when Redis doesn't answer or didn't a moment ago."""
        return self.publish_all([(topic, data)])

    def publish_all(self, messages: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Append messages in one round trip; see `publish`."""
        for topic, _ in messages:
            if topic not in TOPICS:
                raise ValueError(f"{topic!r} is no topic; one of {', '.join(TOPICS)}")
        if self._clock() < self._away_until:
            return self._drop(len(messages))
        try:
            self._append(messages)
            self._account()
        except (RedisError, OSError) as error:
            self._away_until = self._clock() + PAUSE_SECONDS
            log.warning("event bus away, messages are dropped for %g s: %s", PAUSE_SECONDS, error)
            return self._drop(len(messages))
        return True

    def _append(self, messages: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for topic, data in messages:
            body = json.dumps(data, default=str, separators=(",", ":"))
            pipeline.xadd(PREFIX + topic, {FIELD: body}, maxlen=self._maxlen, approximate=True)
        pipeline.execute()

    def _drop(self, count: int) -> bool:
        with self._lock:
            self.dropped += count
        return False

    def _account(self) -> None:
        """Add what was dropped to the count that all processes share."""
        with self._lock:
            if self.dropped:
                self._client.incrby(DROPPED, self.dropped)
                self.dropped = 0

    def dropped_total(self) -> int:
        """Return how many messages all processes dropped; raises RedisError when Redis doesn't answer."""
        return int(cast("bytes | None", self._client.get(DROPPED)) or 0) + self.dropped

    def lengths(self) -> dict[str, int]:
        """Return how many messages each topic keeps; raises RedisError when Redis doesn't answer."""
        return {topic: self._client.xlen(PREFIX + topic) for topic in TOPICS}

    def newest(self, topics: list[str]) -> dict[str, str]:
        """Return the id of the newest message of each topic, `0` for an empty one."""
        ends = {topic: cast("list[Any]", self._client.xrevrange(PREFIX + topic, count=1)) for topic in topics}
        return {topic: end[0][0].decode() if end else "0" for topic, end in ends.items()}

    def read(self, after: dict[str, str], *, count: int = 100) -> list[Event]:
        """Return the messages after the given id of each topic, oldest first, at most `count` a topic.

        `after` is moved on to what was returned.
        """
        streams: Any = {PREFIX + topic: last for topic, last in after.items()}
        found = cast("list[tuple[bytes, list[Any]]]", self._client.xread(streams, count=count))
        events = [_event(stream, *message) for stream, messages in found for message in messages]
        for event in events:
            after[event.topic] = event.id
        return sorted(events, key=_order)

    def follow(self, after: dict[str, str], *, pause: float = 0.2) -> Iterator[Event]:
        """Yield messages as they come, for ever; waits while Redis is away."""
        while True:
            try:
                events = self.read(after)
            except (RedisError, OSError):
                events, wait = [], 1.0
            else:
                wait = 0.0 if events else pause
            yield from events
            time.sleep(wait)


def _order(event: Event) -> tuple[int, int, int]:
    """Return the place in time; within a millisecond streams have no common order, so topics give it."""
    milliseconds, number = event.id.split("-")
    return int(milliseconds), RANKS[event.topic], int(number)


def _event(stream: bytes, key: bytes, fields: Mapping[bytes, bytes]) -> Event:
    return Event(key.decode(), stream.decode().removeprefix(PREFIX), json.loads(fields.get(FIELD, b"{}")))


@functools.cache
def bus() -> Bus:
    """Return this process' bus."""
    return Bus(settings.REDIS_URL, maxlen=settings.SANDBOX.events_maxlen)


def publish(topic: str, data: Mapping[str, Any]) -> None:
    """Publish once the surrounding transaction is committed; nothing when it is rolled back.

    Messages in a row of one transaction (or savepoint) go out together.
    """
    waiting = connection.run_on_commit[-1:]
    if waiting and isinstance(waiting[0][1], _Batch) and waiting[0][0] == set(connection.savepoint_ids):
        waiting[0][1].messages.append((topic, data))
    else:
        transaction.on_commit(_Batch([(topic, data)]), robust=True)


@dataclass
class _Batch:
    """What one transaction has to tell."""

    messages: list[tuple[str, Mapping[str, Any]]]

    def __call__(self) -> None:
        """Publish it."""
        bus().publish_all(self.messages)


@receiver(cycle_queued)
def on_queued(*, cycle: Cycle, **_: Any) -> None:
    """Receive the news that a cycle waits."""
    publish("cycle:queued", {**_who(cycle), "trigger": cycle.trigger, "energy": cycle.energy})


@receiver(step_changed)
def on_step(*, cycle_id: int, engine: str, step: str, state: str, **news: Any) -> None:
    """Receive the news of a step."""
    base = {"cycle": cycle_id, "engine": engine, "step": step, "state": str(state)}
    publish("cycle:step", {**base, "note": news.get("note", ""), "duration": news.get("duration")})


@receiver(cycle_finished)
def on_finished(*, cycle: Cycle, **_: Any) -> None:
    """Receive the news that a cycle came to its end."""
    numbers = {
        name: getattr(cycle, name) for name in ("duration", "roi_gain", "roi_delta", "roi_delta_ema", "cost")
    }
    publish("cycle:finished", {**_who(cycle), "state": str(cycle.state), "message": cycle.message, **numbers})


@receiver(workflow_revised)
def on_revision(*, revision: WorkflowRevision, **_: Any) -> None:
    """Receive the news of a workflow's revision."""
    publish(
        "workflows:new",
        {
            "engine": revision.engine.name,
            "workflow": revision.workflow,
            "revision": revision.pk,
            "parent": revision.parent_id,
            "step": revision.inserted_step,
            "state": str(revision.state),
        },
    )


@receiver(promotion_changed)
def on_promotion(*, promotion: Promotion, **_: Any) -> None:
    """Receive the news of a promotion."""
    alarm = (promotion.alarm or {}).get("text", "") if promotion.rollback_proposed else ""
    publish(
        "promotion:opened" if promotion.state in OPEN else "promotion:decided",
        {
            "engine": promotion.engine.name,
            "promotion": promotion.pk,
            "kind": promotion.kind,
            "state": str(promotion.state),
            "verdict": promotion.verdict,
            "evidence_sha256": promotion.evidence_sha256,
            "by": promotion.rolled_back_label or promotion.decided_label,
            "reason": promotion.rolled_back_reason or promotion.reason,
            "rollback_proposed": alarm,
        },
    )


def _who(cycle: Cycle) -> dict[str, Any]:
    return {"cycle": cycle.pk, "engine": cycle.engine.name}
