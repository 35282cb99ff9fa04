"""Taking the last act back."""

import re

import pytest
from django.test import Client

from engines.models import Cycle, Engine
from tests.factories import make_cycle, make_engine, make_steps, make_team


def key_of(client: Client, address: str) -> str:
    """Return the key of the page's Undo; fails when the page offers none."""
    found = re.search(r'name="key" value="(\w+)"', client.get(address).content.decode())
    assert found, "no Undo"
    return found[1]


def state_of(cycle: Cycle) -> str:
    return Cycle.objects.get(pk=cycle.pk).state


@pytest.mark.parametrize(
    ("state", "act", "after"),
    [
        ("queued", "pause", "paused"),
        ("queued", "cancel", "cancelled"),
        ("paused", "cancel", "cancelled"),
        ("paused", "resume", "queued"),
    ],
)
def test_an_act_on_a_waiting_cycle_can_be_taken_back(
    operator: Client, state: str, act: str, after: str
) -> None:
    cycle = make_cycle(state=state, step="inspect")
    make_steps(cycle, done=0)
    address = f"/cycles/{cycle.pk}/"
    operator.post(f"{address}{act}/")
    assert state_of(cycle) == after
    response = operator.post("/undo/", {"key": key_of(operator, address)})
    assert state_of(cycle) == state
    assert response["Location"] == address


def test_a_paused_cycle_keeps_its_finished_steps(operator: Client) -> None:
    cycle = make_cycle(state="paused", step="retrain", steps_done=2)
    make_steps(cycle, done=2)
    operator.post(f"/cycles/{cycle.pk}/cancel/")
    operator.post("/undo/", {"key": key_of(operator, f"/cycles/{cycle.pk}/")})
    cycle.refresh_from_db()
    assert (cycle.state, cycle.step, cycle.steps_done) == ("paused", "retrain", 2)


def test_a_step_that_was_stopped_can_not_be_unstopped(operator: Client) -> None:
    cycle = make_cycle(state="running")
    operator.post(f"/cycles/{cycle.pk}/cancel/")
    assert 'id="act-undo"' not in operator.get(f"/cycles/{cycle.pk}/").content.decode()


def test_ticked_cycles_come_back_together(operator: Client) -> None:
    engine = make_engine()
    cycles = [make_cycle(engine, state="queued", step="inspect") for _ in range(3)]
    operator.post("/cycles/bulk/cancel/?engine=x", {"id": [cycle.pk for cycle in cycles]})
    response = operator.post("/undo/", {"key": key_of(operator, "/cycles/")}, follow=True)
    assert [state_of(cycle) for cycle in cycles] == ["queued"] * 3
    assert "3 cycles are as before" in response.content.decode()
    assert response.redirect_chain[-1][0] == "/cycles/?engine=x"


def test_a_mixture_that_can_not_all_come_back_offers_nothing(operator: Client) -> None:
    engine = make_engine()
    pks = [make_cycle(engine, state=state).pk for state in ("queued", "running")]
    operator.post("/cycles/bulk/cancel/", {"id": pks})
    assert 'id="act-undo"' not in operator.get("/cycles/").content.decode()


def test_a_change_of_an_engine_can_be_taken_back(operator: Client) -> None:
    engine = make_engine("alpha", base_trials=20, schedule_seconds=3600)
    fields = {"energy": 2, "base_cpu_seconds": 60, "base_trials": 30, "seed": 0, "roi_ema_alpha": 0.1}
    operator.post("/engines/alpha/edit/", fields)  # switched off as well: the box is not ticked
    engine.refresh_from_db()
    assert (engine.enabled, engine.base_trials, engine.schedule_seconds) == (False, 30, None)
    operator.post("/undo/", {"key": key_of(operator, "/engines/alpha/")})
    engine.refresh_from_db()
    assert (engine.enabled, engine.base_energy, engine.base_trials) == (True, 1.0, 20)
    assert engine.schedule_seconds == 3600


def test_a_team_comes_back_as_well(admin: Client) -> None:
    team = make_team()
    make_engine("alpha", team=team)
    fields = {"enabled": "on", "energy": 1, "seed": 0, "roi_ema_alpha": 0.1, "team": ""}
    admin.post("/engines/alpha/edit/", fields)
    assert Engine.objects.get(name="alpha").team is None
    admin.post("/undo/", {"key": key_of(admin, "/engines/alpha/")})
    assert Engine.objects.get(name="alpha").team == team


def test_it_works_once_and_only_with_its_key(operator: Client) -> None:
    cycle = make_cycle(state="queued")
    operator.post(f"/cycles/{cycle.pk}/pause/")
    key = key_of(operator, f"/cycles/{cycle.pk}/")
    assert "nothing to take back" in operator.post("/undo/", {"key": "0"}, follow=True).content.decode()
    assert state_of(cycle) == "paused"
    assert "nothing to take back" in operator.post("/undo/", {"key": key}, follow=True).content.decode()


def test_what_moved_on_meanwhile_is_left_alone_and_told(operator: Client) -> None:
    cycle = make_cycle(state="queued")
    operator.post(f"/cycles/{cycle.pk}/pause/")
    key = key_of(operator, f"/cycles/{cycle.pk}/")
    Cycle.objects.filter(pk=cycle.pk).update(state="done")
    assert "1 left alone" in operator.post("/undo/", {"key": key}, follow=True).content.decode()
    assert state_of(cycle) == "done"


def test_a_viewer_may_not(viewer: Client) -> None:
    assert viewer.post("/undo/", {"key": "x"}).status_code == 403


@pytest.mark.parametrize(("state", "told"), [("queued", "Cancelled."), ("running", "Cancel asked for")])
def test_a_message_says_whether_it_is_done_or_asked_for(operator: Client, state: str, told: str) -> None:
    cycle = make_cycle(state=state)
    assert told in operator.post(f"/cycles/{cycle.pk}/cancel/", follow=True).content.decode()
