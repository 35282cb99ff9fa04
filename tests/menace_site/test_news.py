"""What real cycles leave behind: audit rows, messages on the bus, tallies, metrics."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings
from redis import Redis

from engines.domain.cycle import StepFailed
from engines.domain.results import CLI, Actor, StepOutcome
from engines.domain.states import STEPS
from engines.models import Cycle, CycleTally
from engines.services.cycles import cancel_cycle, pause_cycle, resume_cycle, run_cycle
from menace_site import audit, events
from menace_site.events import Bus, Event
from menace_site.models import AuditEntry
from menace_site.testing.servers import Servers
from tests.engines.moving import parts, queued
from tests.factories import make_engine

ADA = Actor(user_id=3, label="ada", kind="person")
PARTS = f"{__name__}.current_parts"
_acts: dict[str, object] = {}


def current_parts() -> dict[str, object]:
    """Return the steps of this test."""
    return dict(parts(**_acts))  # type: ignore[arg-type]


@pytest.fixture
def bus(transactional_db: None, private_servers: Servers) -> Iterator[Bus]:
    """An empty bus, and cycles whose steps do what `_acts` says."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    events.bus.cache_clear()
    _acts.clear()
    with override_settings(CYCLE_PARTS=PARTS):
        yield events.bus()
    events.bus.cache_clear()


def heard(bus: Bus) -> list[Event]:
    return bus.read(dict.fromkeys(("cycle:queued", "cycle:step", "cycle:finished"), "0"))


def test_a_cycle_tells_its_whole_story(bus: Bus) -> None:
    cycle = queued(make_engine("alpha"))
    assert run_cycle(cycle.pk, owner="test") == "done"
    story = heard(bus)
    assert Counter(event.topic for event in story) == {
        "cycle:queued": 1,
        "cycle:step": 2 * len(STEPS),
        "cycle:finished": 1,
    }
    assert (story[0].topic, story[-1].topic) == ("cycle:queued", "cycle:finished")
    steps = [(event.data["step"], event.data["state"]) for event in story if event.topic == "cycle:step"]
    assert steps == [(step, state) for step in STEPS for state in ("running", "done")]
    assert {event.data["cycle"] for event in story} == {cycle.pk}


def test_a_failing_step_is_told_once_as_failed(bus: Bus) -> None:
    def fail(_: object) -> StepOutcome:
        raise StepFailed("no data")

    _acts["retrain"] = fail
    cycle = queued(make_engine("alpha"))
    run_cycle(cycle.pk, owner="test")
    (end,) = [event for event in heard(bus) if event.topic == "cycle:finished"]
    assert (end.data["state"], end.data["message"]) == ("failed", "retrain: no data")
    failed = [e for e in heard(bus) if e.topic == "cycle:step" and e.data["state"] == "failed"]
    assert [event.data["note"] for event in failed] == ["no data"]


def test_every_act_of_a_person_is_a_row(bus: Bus) -> None:
    cycle = queued(make_engine("alpha"))
    pause_cycle(cycle.pk, actor=ADA)
    resume_cycle(cycle.pk, actor=ADA)
    cancel_cycle(cycle.pk, actor=CLI)
    rows = AuditEntry.objects.order_by("id").values_list("verb", "target", "actor", "actor_kind")
    target = f"cycle:{cycle.pk}"
    assert list(rows) == [
        ("cycle.trigger", target, "python", "python"),
        ("cycle.pause", target, "ada", "person"),
        ("cycle.resume", target, "ada", "person"),
        ("cycle.cancel", target, "command line", "cli"),
    ]
    assert audit.verify() is None


def test_ends_are_tallied_and_scraped(bus: Bus, client: Client) -> None:
    engine = make_engine("alpha")
    run_cycle(queued(engine).pk, owner="test")
    cancel_cycle(queued(engine).pk, actor=ADA)
    ends = CycleTally.objects.values_list("state", "count")
    assert dict(ends) == {"done": 1, "cancelled": 1}
    text = client.get("/metrics").content.decode()
    assert 'menace_cycles_finished_total{engine="alpha",state="done"} 1.0' in text
    assert 'menace_cycle_duration_seconds_count{engine="alpha"} 1.0' in text


def test_a_cycle_ends_as_well_while_redis_is_frozen(bus: Bus, frozen_valkey: None) -> None:
    cycle = queued(make_engine("alpha"))
    assert run_cycle(cycle.pk, owner="test") == "done"
    assert Cycle.objects.get(pk=cycle.pk).state == "done"
    assert bus.dropped == 2 + 2 * len(STEPS)
