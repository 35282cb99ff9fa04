"""Engines over the API."""

from datetime import date
from typing import Any

import pytest

from engines.models import Engine
from engines.serializers import ENGINE_COLUMNS, VERSION_COLUMNS
from forecasting.models import MetricPoint
from menace_site.models import AuditEntry
from tests.api.conftest import Api
from tests.factories import (
    make_day,
    make_engine,
    make_point,
    make_roi_event,
    make_team,
    make_user,
    make_version,
)


def test_the_list_and_the_detail_say_the_same(viewer: Api) -> None:
    make_engine("alpha", manifest={"a": 1}, roi_delta_ema=0.5)
    [row] = viewer.get("engines/", fields=",".join(ENGINE_COLUMNS.paths)).json()["results"]
    assert viewer.get("engines/alpha/").json() == row
    assert (row["team"], row["momentum"]) == (None, None)
    [lean] = viewer.get("engines/").json()["results"]
    assert set(lean) == set(ENGINE_COLUMNS.default)


def test_engines_are_paged_by_name(viewer: Api) -> None:
    for name in ("c", "a", "b"):
        make_engine(name)
    first = viewer.get("engines/", size=2, fields="name").json()
    rest = viewer.client.get(first["next"], headers=viewer.headers).json()
    assert first["results"] + rest["results"] == [{"name": "a"}, {"name": "b"}, {"name": "c"}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "path"),
        ({"path": ""}, "path"),
        ({"path": "relative"}, "path"),
        ({"path": "/nowhere/at/all"}, "path"),
        ({"path": "/etc/../etc"}, "path"),
        ({"path": 7}, "path"),
        ({"path": "/x", "name": "Big Name"}, "name"),
        ({"path": "/x", "base_trials": 0}, "base_trials"),
        ({"path": "/x", "base_trials": 1.5}, "base_trials"),
        ({"path": "/x", "seed": -1}, "seed"),
        ({"path": "/x", "team": "strangers"}, "team"),
        ({"path": "/x", "team": "operator"}, "team"),
        ({"path": "/x", "state_path": "/etc/passwd"}, "state_path"),
        ({"path": "/x", "drift_state": {}}, "drift_state"),
    ],
)
def test_a_wrong_registration_is_refused_by_field(operator: Api, body: dict[str, Any], field: str) -> None:
    answer = operator.post("engines/", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not Engine.objects.exists()


def test_settings_are_changed_and_the_rest_stays(operator: Api) -> None:
    make_engine("alpha", base_trials=7, schedule_seconds=60)
    answer = operator.patch("engines/alpha/", {"enabled": False, "schedule_seconds": None})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["enabled"], body["schedule_seconds"], body["base_trials"]) == (False, None, 7)
    assert AuditEntry.objects.filter(verb="engine.update", target="engine:alpha").exists()


@pytest.mark.parametrize(
    "body",
    [
        {"enabled": "false"},
        {"enabled": None},
        {"base_energy": 0},
        {"base_energy": [1]},
        {"roi_ema_alpha": 2},
        {"repository": "/etc"},
        {"roi_delta_ema": 5.0},
        {"name": "beta"},
        {"team": "nobody"},
    ],
)
def test_a_wrong_change_is_refused(operator: Api, body: dict[str, Any]) -> None:
    engine = make_engine("alpha")
    assert operator.patch("engines/alpha/", body).status_code == 400
    engine.refresh_from_db()
    assert (engine.enabled, engine.base_energy, engine.team) == (True, 1.0, None)


@pytest.mark.django_db
def test_an_engine_is_given_to_ones_own_team() -> None:
    team = make_team("red")
    make_engine("alpha")
    member = Api(make_user("operator", teams=(team,)))
    assert member.patch("engines/alpha/", {"team": "red"}).json()["team"] == "red"
    assert member.patch("engines/alpha/", {"team": None}).json()["team"] is None


def test_observed_metrics_are_kept(operator: Api) -> None:
    make_engine("alpha")
    answer = operator.post("engines/alpha/metrics/", {"values": {"accuracy": 0.91, "latency": 12}})
    assert (answer.status_code, answer.json()) == (201, {"written": 2})
    assert dict(MetricPoint.objects.values_list("name", "value")) == {"accuracy": 0.91, "latency": 12.0}


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        "accuracy",
        {"Accuracy": 1},
        {"": 1},
        {"a b": 1},
        {"accuracy": "high"},
        {"accuracy": True},
        {"accuracy": None},
        {"accuracy": 1e300},
        {"x" * 65: 1},
        {f"m{n}": 1 for n in range(257)},
    ],
)
def test_wrong_metrics_are_refused_whole(operator: Api, values: Any) -> None:
    make_engine("alpha")
    answer = operator.post("engines/alpha/metrics/", {"values": values})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].split(".")[0] == "values"
    assert not MetricPoint.objects.exists()


def test_history_tells_roi_or_a_metric(viewer: Api) -> None:
    make_engine("alpha")
    make_roi_event("alpha", 0.5, ema=0.1)
    make_point("alpha", "accuracy", 0.9)
    make_day("alpha", date(2026, 1, 1), "accuracy")
    roi = viewer.get("engines/alpha/history/").json()
    assert (roi["metric"], roi["points"][0]["value"], roi["points"][0]["ema"]) == ("roi_delta", 0.5, 0.1)
    found = viewer.get("engines/alpha/history/", metric="accuracy", period="30d").json()
    assert (found["per"], found["metrics"], len(found["points"])) == ("point", ["accuracy"], 1)


@pytest.mark.parametrize(
    "params", [{"period": "ever"}, {"period": ""}, {"metric": "nothing"}, {"limit": "5"}]
)
def test_history_refuses_what_it_does_not_know(viewer: Api, params: dict[str, str]) -> None:
    make_engine("alpha")
    assert viewer.get("engines/alpha/history/", **params).status_code == 400


def test_versions_are_listed_newest_first(viewer: Api) -> None:
    engine = make_engine("alpha")
    ids = [make_version(engine).pk for _ in range(3)]
    make_version(make_engine("beta"))
    rows = viewer.get("engines/alpha/versions/", fields=",".join(VERSION_COLUMNS.paths)).json()["results"]
    assert [row["id"] for row in rows] == ids[::-1]


@pytest.mark.parametrize("path", ["", "history/", "versions/", "metrics/"])
def test_engines_of_other_teams_do_not_exist(operator: Api, path: str) -> None:
    make_engine("secret", team=make_team())
    send = operator.post if path == "metrics/" else operator.get
    assert send(f"engines/secret/{path}").status_code == 404
    assert operator.patch("engines/secret/", {"enabled": False}).status_code == 404
    assert operator.get("engines/").json()["results"] == []
