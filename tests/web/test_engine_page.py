"""The page of one engine, its forms and its figures."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from engines.models import Cycle, Engine
from tests.engines.repositories import git, make_repository
from tests.factories import (
    make_cycle,
    make_day,
    make_engine,
    make_point,
    make_roi_event,
    make_team,
    make_user,
    make_version,
)
from tests.web.conftest import client_of


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git checkout without a manifest, which is valid."""
    return make_repository(tmp_path / "mybot", {"main.py": "print('hello')\n"})


def form(**fields: Any) -> dict[str, Any]:
    return {"energy": "1", "seed": "0", **fields}


def test_it_shows_versions_with_the_champion_first(viewer: Client) -> None:
    engine = make_engine("alpha")
    champion = make_version(engine, "champion")
    candidates = [make_version(engine) for _ in range(25)]
    shown = viewer.get("/engines/alpha/").context["versions"]
    assert shown[0]["id"] == champion.pk
    assert shown[1]["id"] == candidates[-1].pk
    assert len(shown) == 21


def test_an_engine_without_anything_says_what_to_do(viewer: Client) -> None:
    make_engine("alpha")
    text = viewer.get("/engines/alpha/").content.decode()
    assert "No cycle yet" in text
    assert "No model yet" in text
    assert "Nothing measured yet" in text


@pytest.mark.parametrize("end", ["", "edit/", "audit/", "charts/roi.json", "charts/roi/", "metrics.csv"])
def test_a_foreign_engine_does_not_exist(operator: Client, end: str) -> None:
    make_engine("secret", team=make_team())
    assert operator.get(f"/engines/secret/{end}").status_code == 404


def test_only_a_persons_own_teams_can_be_chosen(db: None) -> None:
    mine, other = make_team("mine"), make_team("other")
    page = client_of(make_user("operator", teams=(mine,))).get("/engines/new/")
    choices = set(page.context["form"].fields["team"].queryset)
    assert choices == {mine}
    assert other not in choices


class TestTrigger:
    """Running a cycle by hand."""

    def test_it_queues_a_cycle_and_leads_to_it(self, operator: Client) -> None:
        engine = make_engine("alpha")
        response = operator.post("/engines/alpha/trigger/", {"energy": "2"})
        cycle = Cycle.objects.get(engine=engine)
        assert response["Location"] == f"/cycles/{cycle.pk}/"
        assert (cycle.energy, cycle.trigger, cycle.state) == (2.0, "manual", "queued")

    @pytest.mark.parametrize("energy", ["", "0", "-1", "nan", "inf", "1e9", "abc", "9" * 400])
    def test_an_energy_out_of_range_is_refused(self, operator: Client, energy: str) -> None:
        make_engine("alpha")
        response = operator.post("/engines/alpha/trigger/", {"energy": energy})
        assert response.status_code == 422
        assert response.context["form"].errors["energy"]
        assert not Cycle.objects.exists()

    def test_a_switched_off_engine_refuses_with_the_reason(self, operator: Client) -> None:
        make_engine("alpha", enabled=False)
        response = operator.post("/engines/alpha/trigger/", {"energy": "1"})
        assert response.status_code == 422
        assert "switched off" in response.content.decode()

    def test_a_viewer_may_not(self, viewer: Client) -> None:
        make_engine("alpha")
        assert viewer.post("/engines/alpha/trigger/", {"energy": "1"}).status_code == 403
        assert not Cycle.objects.exists()

    def test_a_link_cannot_do_it(self, operator: Client) -> None:
        make_engine("alpha")
        assert operator.get("/engines/alpha/trigger/").status_code == 405


class TestRegister:
    """Taking a repository under care."""

    def test_a_git_checkout_is_taken(self, operator: Client, repository: Path) -> None:
        response = operator.post("/engines/new/", form(path=str(repository), schedule_seconds="60"))
        assert response["Location"] == "/engines/mybot/"
        engine = Engine.objects.get(name="mybot")
        assert (engine.repository, engine.schedule_seconds) == (str(repository), 60)

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"path": ""}, "path"),
            ({"path": "/nowhere/at/all"}, "path"),
            ({"path": "relative/path"}, "path"),
            ({"path": "/etc/passwd"}, "path"),
            ({"path": "/" + "x" * 2000}, "path"),
            ({"path": "/tmp\0/x"}, "path"),
            ({"name": "Bad Name!"}, "name"),
            ({"energy": "0"}, "energy"),
            ({"energy": "nan"}, "energy"),
            ({"seed": "-1"}, "seed"),
            ({"schedule_seconds": "1"}, "schedule_seconds"),
            ({"base_trials": "99999999999"}, "base_trials"),
            ({"team": "12345"}, "team"),
        ],
    )
    def test_bad_input_is_refused_beside_its_field(
        self, operator: Client, repository: Path, fields: dict[str, str], field: str
    ) -> None:
        response = operator.post("/engines/new/", form(**{"path": str(repository), **fields}))
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert not Engine.objects.exists()

    def test_a_name_that_is_taken_is_refused(self, operator: Client, repository: Path) -> None:
        make_engine("mybot")
        response = operator.post("/engines/new/", form(path=str(repository)))
        assert "exists already" in response.context["form"].errors["name"][0]

    def test_a_bad_manifest_is_refused_with_the_reason(self, operator: Client, repository: Path) -> None:
        (repository / "menace.toml").write_text("pipeline = 7\n")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "describe it")
        response = operator.post("/engines/new/", form(path=str(repository)))
        assert response.status_code == 422
        assert "pipeline" in response.content.decode()

    def test_a_viewer_may_not(self, viewer: Client) -> None:
        assert viewer.get("/engines/new/").status_code == 403


class TestEdit:
    """Changing an engine."""

    def test_only_what_differs_is_changed(self, operator: Client) -> None:
        engine = make_engine("alpha", base_trials=20)
        fields = form(energy="2.5", base_cpu_seconds="", base_trials="30", roi_ema_alpha="0.2")
        assert operator.post("/engines/alpha/edit/", fields)["Location"] == "/engines/alpha/"
        engine.refresh_from_db()
        assert (engine.base_energy, engine.base_trials, engine.base_cpu_seconds) == (2.5, 30, 60.0)
        assert engine.enabled is False

    def test_the_form_shows_what_is(self, operator: Client) -> None:
        make_engine("alpha", base_trials=77)
        assert 'value="77"' in operator.get("/engines/alpha/edit/").content.decode()

    def test_bad_numbers_are_refused(self, operator: Client) -> None:
        make_engine("alpha")
        response = operator.post("/engines/alpha/edit/", form(energy="500", roi_ema_alpha="2"))
        assert set(response.context["form"].errors) == {"energy", "roi_ema_alpha"}

    def test_a_viewer_may_not(self, viewer: Client) -> None:
        make_engine("alpha")
        assert viewer.post("/engines/alpha/edit/", form()).status_code == 403


class TestFigures:
    """The data of the figures."""

    def test_roi_comes_in_order_with_gaps(self, viewer: Client) -> None:
        make_engine("alpha")
        make_roi_event("alpha", 0.5, ema=None)
        make_roi_event("alpha", -0.25, ema=0.1)
        bars, line = viewer.get("/engines/alpha/charts/roi.json").json()["data"]
        assert bars["y"] == [0.5, -0.25]
        assert line["y"] == [None, 0.1]

    def test_an_empty_figure_says_why(self, viewer: Client) -> None:
        make_engine("alpha")
        figure = viewer.get("/engines/alpha/charts/metric.json?metric=f1").json()
        assert figure["data"] == []
        assert figure["layout"]["annotations"][0]["text"] == "f1 was not measured in this time."

    def test_it_may_be_kept_for_ten_seconds_by_the_viewer_alone(self, viewer: Client) -> None:
        make_engine("alpha")
        response = viewer.get("/engines/alpha/charts/roi.json")
        assert response["Cache-Control"] == "private, max-age=10"

    @pytest.mark.parametrize(
        "query", ["metric=" + "x" * 5000, "metric=%00", "range=nonsense", "metric=%F0%9F%90%8D"]
    )
    def test_odd_input_is_an_empty_figure(self, viewer: Client, query: str) -> None:
        make_engine("alpha")
        assert viewer.get(f"/engines/alpha/charts/metric.json?{query}").status_code == 200

    def test_the_numbers_come_as_a_table_too(self, viewer: Client) -> None:
        make_engine("alpha")
        make_point("alpha", "accuracy", 0.875)
        text = viewer.get("/engines/alpha/charts/metric/?metric=accuracy").content.decode()
        assert "0.875" in text


def test_an_unknown_metric_shows_the_first_known_one(viewer: Client) -> None:
    engine = make_engine("alpha")
    make_day("alpha", engine.created_at.date(), "f1")
    make_cycle(engine)
    assert viewer.get("/engines/alpha/?metric=nonsense").context["metric"] == "f1"
