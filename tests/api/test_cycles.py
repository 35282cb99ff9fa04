"""Cycles over the API."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engines.models import Cycle
from engines.serializers import CYCLE_COLUMNS
from menace_site.models import AuditEntry
from tests.api.conftest import Api
from tests.factories import make_cycle, make_cycles, make_engine, make_steps, make_team, make_user


def walk(api: Api, path: str) -> list[int]:
    """Return the ids of all pages of a list, following `next`."""
    ids: list[int] = []
    link: str | None = path
    while link:
        body = api.client.get(link, headers=api.headers).json()
        ids += [row["id"] for row in body["results"]]
        link = body["next"]
    return ids


def test_a_list_holds_the_lean_fields_of_each_cycle(viewer: Api) -> None:
    cycle = make_cycle(make_engine("alpha"), roi_delta=1.5)
    [row] = viewer.get("cycles/").json()["results"]
    assert set(row) == set(CYCLE_COLUMNS.default)
    assert (row["id"], row["engine"], row["roi_delta"], row["state"]) == (cycle.pk, "alpha", 1.5, "done")


def test_a_hundred_cycles_take_at_most_forty_kibibytes(viewer: Api) -> None:
    engine = make_engine("a-rather-long-name-of-an-engine")
    make_cycles(100, engine, duration=1234.56789012345, cost=1 / 3, step="snapshot", steps_done=10)
    answer = viewer.get("cycles/", size=100)
    assert len(answer.json()["results"]) == 100
    assert len(answer.content) <= 40 * 1024


def test_the_list_and_the_detail_say_the_same(viewer: Api) -> None:
    cycle = make_cycle(make_engine(), roi_delta=0.25, decision={"run": True}, control="pause")
    [row] = viewer.get("cycles/", fields=",".join(CYCLE_COLUMNS.paths)).json()["results"]
    detail = viewer.get(f"cycles/{cycle.pk}/").json()
    assert {name: value for name, value in detail.items() if name != "steps"} == row


def test_only_the_fields_asked_for_come(viewer: Api) -> None:
    make_cycle()
    [row] = viewer.get("cycles/", fields="id,cost").json()["results"]
    assert set(row) == {"id", "cost"}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"fields": "id,lease_owner"}, "fields"),
        ({"order": "lease_token"}, "order"),
        ({"order": "engine__team"}, "order"),
        ({"size": "0"}, "size"),
        ({"size": "201"}, "size"),
        ({"size": "²"}, "size"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"state": "exploded"}, "state"),
        ({"roi_min": "nan"}, "roi_min"),
        ({"since": "yesterday"}, "since"),
        ({"q": "\0"}, "q"),
        ({"engine": "\ud800"}, "engine"),
        ({"stat": "done"}, "stat"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(viewer: Api, params: dict[str, str], field: str) -> None:
    query = urlencode(params, errors="surrogatepass")
    answer = viewer.client.get(f"/api/cycles/?{query}", headers=viewer.headers)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("order", ["id", "-id", "roi_delta", "-roi_delta", "duration", "-created_at"])
def test_following_next_shows_every_cycle_once(viewer: Api, order: str) -> None:
    engine = make_engine()
    for value in (None, 1.0, 1.0, None, -2.0, 1.0, 0.5):
        make_cycles(1, engine, roi_delta=value, duration=value)
    ids = walk(viewer, f"/api/cycles/?size=2&order={order}")
    assert sorted(ids) == sorted(Cycle.objects.values_list("pk", flat=True))
    assert len(ids) == 7


def test_previous_leads_back(viewer: Api) -> None:
    make_cycles(5)
    first = viewer.get("cycles/", size=2).json()
    second = viewer.client.get(first["next"], headers=viewer.headers).json()
    back = viewer.client.get(second["previous"], headers=viewer.headers).json()
    assert back["results"] == first["results"]
    assert first["previous"] is None


def test_links_keep_the_filters(viewer: Api) -> None:
    make_cycles(3, make_engine("alpha"))
    make_cycles(3, make_engine("beta"))
    ids = walk(viewer, "/api/cycles/?engine=alpha&size=1")
    assert len(ids) == 3


@pytest.mark.parametrize("count", [3, 60])
def test_the_number_of_queries_does_not_depend_on_the_rows(viewer: Api, count: int) -> None:
    make_cycles(count)
    viewer.get("cycles/")
    with CaptureQueriesContext(connection) as queries:
        viewer.get("cycles/", size=200)
    assert len(queries) <= 6
    assert not [q for q in queries if "COUNT(" in q["sql"] or "OFFSET" in q["sql"]]


def test_a_detail_holds_the_steps(viewer: Api) -> None:
    cycle = make_cycle()
    make_steps(cycle, done=3)
    steps = viewer.get(f"cycles/{cycle.pk}/").json()["steps"]
    assert [step["state"] for step in steps[:4]] == ["done", "done", "done", "pending"]


def test_a_number_that_is_none_is_null(viewer: Api) -> None:
    cycle = make_cycle(roi_delta=float("nan"))
    assert viewer.get(f"cycles/{cycle.pk}/").json()["roi_delta"] is None
    assert viewer.get("cycles/").json()["results"][0]["roi_delta"] is None


def test_triggering_queues_a_cycle_and_leaves_a_trace(operator: Api) -> None:
    make_engine("alpha", base_energy=2.0)
    answer = operator.post("cycles/", {"engine": "alpha"})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["state"], body["trigger"], body["energy"], len(body["steps"])) == ("queued", "api", 2.0, 10)
    assert operator.user is not None
    assert body["requested_by"] == f"{operator.user.username} (test)"
    entry = AuditEntry.objects.get(verb="cycle.trigger")
    assert (entry.target, entry.actor_kind) == (f"cycle:{body['id']}", "token")


@pytest.mark.parametrize(
    "body",
    [
        {"engine": "nobody"},
        {"engine": "alpha", "energy": 0},
        {"engine": "alpha", "energy": "2"},
        {"engine": "alpha", "energy": True},
        {"engine": "alpha", "energy": 1e9},
        {"engine": "alpha", "energy": None},
        {"engine": ["alpha"]},
        {"engine": "alpha", "state": "done"},
        {},
    ],
)
def test_a_wrong_trigger_is_refused_and_leaves_nothing(operator: Api, body: dict[str, Any]) -> None:
    make_engine("alpha")
    answer = operator.post("cycles/", body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not Cycle.objects.exists()


def test_a_disabled_engine_is_a_conflict(operator: Api) -> None:
    make_engine("alpha", enabled=False)
    answer = operator.post("cycles/", {"engine": "alpha"})
    assert answer.status_code == 409
    assert "switched off" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("state", "act", "status", "after"),
    [
        ("queued", "cancel", 200, "cancelled"),
        ("queued", "pause", 200, "paused"),
        ("paused", "resume", 200, "queued"),
        ("running", "cancel", 200, "running"),
        ("done", "cancel", 409, "done"),
        ("done", "pause", 409, "done"),
        ("queued", "resume", 409, "queued"),
        ("queued", "retry", 409, "queued"),
    ],
)
def test_acts_move_a_cycle_or_conflict(operator: Api, state: str, act: str, status: int, after: str) -> None:
    cycle = make_cycle(state=state)
    make_steps(cycle, done=0)
    body = {"from_step": "inspect"} if act == "retry" else None
    answer = operator.post(f"cycles/{cycle.pk}/{act}/", body)
    assert answer.status_code == status
    assert Cycle.objects.get().state == after


def test_a_failed_cycle_is_retried_from_a_step(operator: Api) -> None:
    cycle = make_cycle(state="failed")
    make_steps(cycle, done=2)
    answer = operator.post(f"cycles/{cycle.pk}/retry/", {"from_step": "retrain"})
    assert (answer.status_code, answer.json()["state"], answer.json()["step"]) == (200, "queued", "retrain")


def test_a_retry_from_no_step_is_refused(operator: Api) -> None:
    cycle = make_cycle(state="failed")
    answer = operator.post(f"cycles/{cycle.pk}/retry/", {"from_step": "lunch"})
    assert [error["field"] for error in answer.json()["errors"]] == ["from_step"]


@pytest.mark.parametrize("path", ["", "cancel/", "pause/", "resume/", "retry/"])
def test_cycles_of_other_teams_do_not_exist(operator: Api, path: str) -> None:
    cycle = make_cycle(make_engine("secret", team=make_team()))
    send = operator.post if path else operator.get
    assert send(f"cycles/{cycle.pk}/{path}").status_code == 404
    assert operator.get("cycles/").json()["results"] == []
    assert operator.post("cycles/", {"engine": "secret"}).status_code == 400


@pytest.mark.django_db
def test_a_member_of_the_team_sees_its_cycles() -> None:
    team = make_team()
    cycle = make_cycle(make_engine(team=team))
    member = Api(make_user("viewer", teams=(team,)))
    assert member.get(f"cycles/{cycle.pk}/").status_code == 200


@pytest.mark.parametrize("pk", ["0", "999999999999999999", "9" * 30, "-1", "1.5", "%00", "abc"])
def test_an_unknown_cycle_is_a_404(viewer: Api, pk: str) -> None:
    answer = viewer.get(f"cycles/{pk}/")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_an_address_answers_without_its_last_slash(viewer: Api) -> None:
    assert viewer.get("cycles").status_code == 200
