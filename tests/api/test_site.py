"""Audit, health and schema over the API."""

import pytest

from tests.api.conftest import Api
from tests.factories import make_cycle, make_engine, make_entry, make_team, make_user

pytestmark = pytest.mark.django_db


def verbs(api: Api, **params: str) -> list[str]:
    return [row["verb"] for row in api.get("audit/", **params).json()["results"]]


def test_one_sees_ones_own_acts_and_a_superuser_all() -> None:
    api = Api(make_user("operator"))
    make_entry(verb="engine.update", user_id_at_time=None)
    assert verbs(api) == ["token.create"]
    assert "engine.update" in verbs(Api(make_user("admin")))


def test_all_acts_on_a_thing_are_shown_to_who_sees_the_thing() -> None:
    cycle = make_cycle(make_engine("alpha"))
    make_entry(f"cycle:{cycle.pk}", "cycle.cancel")
    make_entry("engine:alpha", "engine.update")
    api = Api(make_user("viewer"))
    assert verbs(api, target=f"cycle:{cycle.pk}") == ["cycle.cancel"]
    assert verbs(api, target="engine:alpha") == ["engine.update"]


def test_acts_on_things_of_other_teams_are_hidden() -> None:
    cycle = make_cycle(make_engine("secret", team=make_team()))
    for target in ("engine:secret", f"cycle:{cycle.pk}", "engine:nothing", "cycle:0", "cycle:x", "cycle:²"):
        make_entry(target)
        assert Api(make_user("approver")).get("audit/", target=target).status_code == 404


@pytest.mark.parametrize("target", ["token:abc", "user:1", "cycles", ":"])
def test_other_targets_are_refused(target: str) -> None:
    assert Api(make_user("viewer")).get("audit/", target=target).status_code == 400


def test_without_a_role_no_target_is_open() -> None:
    make_engine("alpha")
    assert Api(make_user("none")).get("audit/", target="engine:alpha").status_code == 400


def test_health_names_each_part() -> None:
    body = Api(make_user("viewer")).get("health/").json()
    assert set(body) == {"ready", "web", "database", "broker", "workers", "beat"}
    assert body["database"]["ok"] is True
    assert body["workers"]["ok"] is False  # none runs in this test
    assert body["ready"] is False
