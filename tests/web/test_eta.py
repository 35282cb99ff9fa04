"""How long a running cycle will still take, on its page."""

import datetime as dt
from typing import Any

from django.test import Client
from django.utils import timezone

from engines.domain.states import STEPS
from engines.models import Cycle, Engine
from tests.factories import make_cycle, make_engine, make_steps


def earlier(engine: Engine, number: int, **fields: Any) -> None:
    """Make finished cycles whose steps took a minute each."""
    for _ in range(number):
        cycle = make_cycle(engine, **fields)
        make_steps(cycle)
        cycle.steps.update(duration=60.0)


def running(engine: Engine, **fields: Any) -> Cycle:
    """Make a cycle whose third step has run for half a minute."""
    cycle = make_cycle(engine, state="running", step="retrain", steps_done=2, **fields)
    make_steps(cycle, done=2)
    begun = timezone.now() - dt.timedelta(seconds=30)
    cycle.steps.filter(name="retrain").update(state="running", started_at=begun)
    return cycle


def said(client: Client, cycle: Cycle) -> str:
    """Return what the page says of the time left."""
    return str(client.get(f"/cycles/{cycle.pk}/live/").context["eta"] or "")


def test_it_comes_from_the_engines_own_steps(viewer: Client) -> None:
    engine = make_engine()
    earlier(engine, 3)
    cycle = running(engine)
    left = 30 + 60 * (len(STEPS) - 3) - 1  # a moment has passed since it was made
    assert said(viewer, cycle) == f"about {round(left / 60)} min left"
    assert 'id="eta"' in viewer.get(f"/cycles/{cycle.pk}/").content.decode()


def test_it_says_nothing_without_enough_history(viewer: Client) -> None:
    engine = make_engine()
    earlier(engine, 2)
    cycle = running(engine)
    assert said(viewer, cycle) == ""
    assert 'id="eta"' not in viewer.get(f"/cycles/{cycle.pk}/").content.decode()


def test_other_engines_other_energies_and_failures_do_not_count(viewer: Client) -> None:
    engine = make_engine()
    earlier(make_engine(), 3)
    earlier(engine, 3, energy=2.0)
    earlier(engine, 3, state="failed")
    assert said(viewer, running(engine)) == ""


def test_a_cycle_that_does_not_run_has_no_time_left(viewer: Client) -> None:
    engine = make_engine()
    earlier(engine, 3)
    for state in ("queued", "paused", "done"):
        assert said(viewer, make_cycle(engine, state=state)) == ""


def test_longer_than_ever_is_said_instead_of_a_number(viewer: Client) -> None:
    engine = make_engine()
    earlier(engine, 3)
    cycle = running(engine)
    cycle.steps.filter(name="retrain").update(started_at=timezone.now() - dt.timedelta(seconds=61))
    assert said(viewer, cycle) == "longer than usual"
