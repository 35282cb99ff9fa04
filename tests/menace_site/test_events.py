"""The event bus on a real Valkey: published after the commit, bounded, and never in anybody's way."""

import json
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from redis import Redis

from engines.models import Cycle, CycleStep
from engines.signals import cycle_finished, cycle_queued, step_changed
from menace_site import events
from menace_site.events import Bus
from menace_site.testing.servers import Servers
from tests.factories import make_cycle, make_engine


@pytest.fixture
def bus(private_servers: Servers) -> Iterator[Bus]:
    """The process' bus on an emptied Valkey."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    events.bus.cache_clear()
    yield events.bus()
    events.bus.cache_clear()


def kept(bus: Bus, topic: str) -> list[dict[str, Any]]:
    return [dict(event.data) for event in bus.read({topic: "0"})]


def away(clock: Any = time.monotonic) -> Bus:
    return Bus("redis://127.0.0.1:1/0", maxlen=100, clock=clock)


def test_news_of_cycles_reach_their_topics(transactional_db: None, bus: Bus) -> None:
    cycle = make_cycle(make_engine("alpha"), roi_delta=0.5, message="fine")
    cycle_queued.send(sender=Cycle, cycle=cycle, wake=False)
    step_changed.send(
        sender=CycleStep,
        cycle_id=cycle.pk,
        engine="alpha",
        step="retrain",
        state="done",
        note="n",
        duration=2.5,
    )
    cycle_finished.send(sender=Cycle, cycle=cycle)
    who = {"cycle": cycle.pk, "engine": "alpha"}
    assert kept(bus, "cycle:queued") == [{**who, "trigger": "manual", "energy": 1.0}]
    assert kept(bus, "cycle:step") == [
        {**who, "step": "retrain", "state": "done", "note": "n", "duration": 2.5}
    ]
    (finished,) = kept(bus, "cycle:finished")
    assert finished["state"] == "done"
    assert (finished["roi_delta"], finished["roi_gain"]) == (0.5, None)


def test_nothing_is_published_before_the_commit(transactional_db: None, bus: Bus) -> None:
    with transaction.atomic():
        events.publish("cycle:queued", {"cycle": 1})
        assert kept(bus, "cycle:queued") == []
    assert kept(bus, "cycle:queued") == [{"cycle": 1}]


def test_messages_of_one_transaction_go_out_together_without_those_of_an_undone_savepoint(
    transactional_db: None, bus: Bus
) -> None:
    with transaction.atomic():
        events.publish("cycle:queued", {"cycle": 1})
        events.publish("cycle:queued", {"cycle": 2})
        with transaction.atomic():
            events.publish("cycle:queued", {"cycle": 3})
            transaction.set_rollback(True)
        events.publish("cycle:queued", {"cycle": 4})
        assert len(connection.run_on_commit) == 1
    assert kept(bus, "cycle:queued") == [{"cycle": 1}, {"cycle": 2}, {"cycle": 4}]


def test_nothing_is_published_of_what_was_rolled_back(transactional_db: None, bus: Bus) -> None:
    with transaction.atomic():
        events.publish("cycle:queued", {"cycle": 1})
        transaction.set_rollback(True)
    assert kept(bus, "cycle:queued") == []


def test_streams_are_bounded(bus: Bus) -> None:
    small = Bus(settings.REDIS_URL, maxlen=100)
    for number in range(1000):
        small.publish("cycle:step", {"n": number})
    assert 100 <= small.lengths()["cycle:step"] < 400


def test_unknown_topics_are_refused(bus: Bus) -> None:
    with pytest.raises(ValueError, match="no topic"):
        bus.publish("cycle:started", {})


def test_topics_of_later_parts_are_registered(bus: Bus) -> None:
    assert {"alignment:flag", "promotion:decided", "workflows:new"} <= set(bus.lengths())


def test_redis_away_drops_and_counts_and_pauses() -> None:
    now = [0.0]
    bus = away(lambda: now[0])
    assert [bus.publish("cycle:queued", {}) for _ in range(3)] == [False, False, False]
    assert bus.dropped == 3


def test_what_was_dropped_is_counted_for_all_processes(bus: Bus) -> None:
    bus.dropped = 4
    assert bus.publish("cycle:queued", {})
    other = Bus(settings.REDIS_URL, maxlen=100)
    assert (bus.dropped, other.dropped_total()) == (0, 4)


def test_frozen_redis_does_not_hold_up_publishing(bus: Bus, frozen_valkey: None) -> None:
    began = time.monotonic()
    assert not any(bus.publish("cycle:queued", {}) for _ in range(50))
    assert time.monotonic() - began < 1.0


def test_read_goes_on_where_it_stopped(bus: Bus) -> None:
    after = bus.newest(["cycle:queued", "cycle:step"])
    bus.publish("cycle:queued", {"n": 1})
    bus.publish("cycle:step", {"n": 2})
    assert [event.data["n"] for event in bus.read(after)] == [1, 2]
    assert bus.read(after) == []


def tail(**options: Any) -> list[str]:
    out = StringIO()
    call_command("events", "tail", stdout=out, **options)
    return out.getvalue().splitlines()


def test_tail_prints_what_is_kept_as_json(bus: Bus) -> None:
    bus.publish("cycle:queued", {"cycle": 7})
    bus.publish("cycle:step", {"cycle": 7})
    (line,) = tail(since="0", count=1, json=True, topic=["cycle:step"])
    found = json.loads(line)
    assert (found["topic"], found["data"]) == ("cycle:step", {"cycle": 7})


def test_tail_cleans_control_characters(bus: Bus) -> None:
    bus.publish("cycle:step", {"note": "\x1b[31mred\n", "state": "", "duration": None})
    (line,) = tail(since="0", count=1)
    assert line.endswith("note=\ufffd[31mred\ufffd")


def test_topics_lists_all_with_their_lengths(bus: Bus) -> None:
    bus.publish("cycle:queued", {})
    out = StringIO()
    call_command("events", "topics", json=True, stdout=out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {row["topic"]: row["kept"] for row in rows}["cycle:queued"] == 1
    assert len(rows) == len(events.TOPICS)
