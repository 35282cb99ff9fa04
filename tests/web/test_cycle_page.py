"""The page of one cycle."""

import pytest
from django.test import Client

from engines.domain.wording import MINUS
from engines.models import Cycle
from tests.factories import make_cycle, make_engine, make_step, make_steps, make_team

DECISION = {
    "run": True,
    "energy": 1.5,
    "energy_factors": {"momentum": 1.5},
    "reasons": [
        {
            "code": "drift",
            "detail": "it drifted",
            "favours_run": True,
            "metric": "f1",
            "value": 12.5,
            "threshold": 10,
        },
        {
            "code": "errors",
            "detail": "none",
            "favours_run": False,
            "metric": None,
            "value": None,
            "threshold": None,
        },
    ],
}
RETRAIN = {
    "verdict": "promotable",
    "roi": {"roi_gain": 1.2, "value": 1.5, "cost": 0.3, "low": 0.4, "high": 2.0, "confidence": 0.95},
    "champion": {"metrics": {"accuracy": 0.9}, "fold_scores": [0.9, 0.91]},
    "challenger": {"metrics": {"accuracy": 0.95}, "fold_scores": [0.95, 0.9], "params": {"depth": 3}},
    "significance": {"p": 0.01, "significant": True, "note": None},
    "warnings": ["a trial crashed"],
}


def page(client: Client, cycle: Cycle) -> str:
    response = client.get(f"/cycles/{cycle.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_the_ten_steps_in_order(viewer: Client) -> None:
    cycle = make_cycle(state="running", step="retrain")
    make_steps(cycle, done=2)
    response = viewer.get(f"/cycles/{cycle.pk}/")
    states = [step["state"] for step in response.context["steps"]]
    assert states == ["done"] * 2 + ["pending"] * 8
    assert response.context["steps"][2]["name"] == "retrain"


def test_it_shows_why_as_a_table_of_values_and_thresholds(viewer: Client) -> None:
    text = page(viewer, make_cycle(decision=DECISION))
    assert "it drifted" in text
    assert '<td class="num">12.5</td><td class="num">10</td>' in text
    assert "momentum" in text


def test_it_shows_champion_against_challenger(viewer: Client) -> None:
    cycle = make_cycle(roi_delta=1.2, cost=0.3, cpu_seconds=12.0)
    make_step(cycle, result=RETRAIN)
    outcome = viewer.get(f"/cycles/{cycle.pk}/").context["outcome"]
    assert outcome["metrics"] == [{"name": "accuracy", "old": "0.9", "new": "0.95", "change": "+0.05"}]
    assert [fold["change"] for fold in outcome["folds"]] == ["+0.05", f"{MINUS}0.01"]
    assert outcome["roi"]["interval"] == "+0.4 to +2"
    assert ("note", "not measured") in outcome["significance"]["figures"]


@pytest.mark.parametrize(
    "result",
    [
        {"verdict": 1, "champion": [], "challenger": "x", "roi": "no", "significance": 3, "warnings": None},
        {
            "verdict": "v",
            "champion": {"fold_scores": ["a", None]},
            "challenger": {"fold_scores": {"a": 1}, "metrics": []},
        },
        {"verdict": "v", "roi": {"roi_gain": "1", "low": True}, "metrics": {"m": "NaN"}, "artifact": "x"},
        {"unexpected": True},
        {},
    ],
)
def test_a_result_of_any_shape_can_be_shown(viewer: Client, result: dict[str, object]) -> None:
    cycle = make_cycle(decision={"reasons": [1, {"value": "x"}]})
    make_step(cycle, result=result)
    assert f"Cycle {cycle.pk}" in page(viewer, cycle)


def test_an_error_comes_first_and_its_trace_is_folded(viewer: Client) -> None:
    cycle = make_cycle(state="failed")
    trace = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: bad input'
    make_step(cycle, state="failed", error=trace, failures=2, attempt=3)
    text = page(viewer, cycle)
    assert "<b>ValueError: bad input</b>" in text
    assert text.index("<b>ValueError") < text.index("Traceback")
    assert "attempt 3" in text


def test_what_was_not_measured_is_said_so(viewer: Client) -> None:
    text = page(viewer, make_cycle(roi_delta=None, cost=None))
    assert text.count("not measured") >= 4


def test_the_fragment_asks_again_only_while_the_cycle_is_open(viewer: Client) -> None:
    running, done = make_cycle(state="running"), make_cycle(state="done")
    assert 'hx-trigger="every 2s"' in viewer.get(f"/cycles/{running.pk}/live/").content.decode()
    assert "hx-trigger" not in viewer.get(f"/cycles/{done.pk}/live/").content.decode()


def test_it_leads_to_the_engines_cycles_before_and_after(viewer: Client) -> None:
    engine = make_engine()
    before, here = make_cycle(engine), make_cycle(engine)
    make_cycle()
    after = make_cycle(engine)
    context = viewer.get(f"/cycles/{here.pk}/").context
    assert (context["earlier"], context["later"]) == (before.pk, after.pk)


@pytest.mark.parametrize(
    "address", ["/cycles/{}/", "/cycles/{}/live/", "/cycles/{}/audit/", "/cycles/{}/retrain.log"]
)
def test_a_foreign_cycle_does_not_exist(viewer: Client, address: str) -> None:
    cycle = make_cycle(make_engine(team=make_team()))
    make_step(cycle)
    assert viewer.get(address.format(cycle.pk)).status_code == 404


@pytest.mark.parametrize("number", ["0", "999999999", "9" * 30, "9" * 5000])
def test_an_unknown_number_is_no_cycle(viewer: Client, number: str) -> None:
    assert viewer.get(f"/cycles/{number}/").status_code == 404


def test_the_log_can_be_taken_home(viewer: Client) -> None:
    cycle = make_cycle()
    make_step(cycle, log="<b>one</b>\ntwo")
    response = viewer.get(f"/cycles/{cycle.pk}/retrain.log")
    assert response.content == b"<b>one</b>\ntwo"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment")


class TestActs:
    """Cancel, pause, resume, retry."""

    @pytest.mark.parametrize(
        ("state", "act", "after"),
        [
            ("queued", "cancel", "cancelled"),
            ("paused", "cancel", "cancelled"),
            ("queued", "pause", "paused"),
            ("paused", "resume", "queued"),
        ],
    )
    def test_an_operator_moves_the_cycle(self, operator: Client, state: str, act: str, after: str) -> None:
        cycle = make_cycle(state=state)
        response = operator.post(f"/cycles/{cycle.pk}/{act}/")
        cycle.refresh_from_db()
        assert response["Location"] == f"/cycles/{cycle.pk}/"
        assert cycle.state == after

    def test_a_running_cycle_is_asked_to_stop(self, operator: Client) -> None:
        cycle = make_cycle(state="running")
        operator.post(f"/cycles/{cycle.pk}/cancel/")
        cycle.refresh_from_db()
        assert (cycle.state, cycle.control) == ("running", "cancel")
        assert "cancelling" in page(operator, cycle)

    def test_a_refusal_is_told_with_its_reason(self, operator: Client) -> None:
        cycle = make_cycle(state="done")
        text = operator.post(f"/cycles/{cycle.pk}/cancel/", follow=True).content.decode()
        assert f"cycle {cycle.pk} is done already" in text

    def test_an_ended_cycle_runs_again_from_a_step(self, operator: Client) -> None:
        cycle = make_cycle(state="failed")
        make_steps(cycle, done=2)
        operator.post(f"/cycles/{cycle.pk}/retry/", {"from_step": "retrain"})
        cycle.refresh_from_db()
        assert (cycle.state, cycle.step) == ("queued", "retrain")

    @pytest.mark.parametrize("step", ["", "nonsense", "x" * 5000])
    def test_an_unknown_step_is_refused(self, operator: Client, step: str) -> None:
        cycle = make_cycle(state="failed")
        text = operator.post(f"/cycles/{cycle.pk}/retry/", {"from_step": step}, follow=True).content.decode()
        assert "is no step" in text

    @pytest.mark.parametrize("act", ["cancel", "pause", "resume", "retry"])
    def test_who_may_only_look_may_not(self, viewer: Client, act: str) -> None:
        cycle = make_cycle(state="queued")
        assert viewer.post(f"/cycles/{cycle.pk}/{act}/").status_code == 403
        cycle.refresh_from_db()
        assert cycle.state == "queued"

    @pytest.mark.parametrize("act", ["cancel", "pause", "resume", "retry"])
    def test_a_foreign_cycle_cannot_be_touched(self, operator: Client, act: str) -> None:
        cycle = make_cycle(make_engine(team=make_team()), state="queued")
        assert operator.post(f"/cycles/{cycle.pk}/{act}/").status_code == 404

    @pytest.mark.parametrize("act", ["cancel", "pause", "resume", "retry"])
    def test_a_link_cannot_do_it(self, operator: Client, act: str) -> None:
        assert operator.get(f"/cycles/{make_cycle(state='queued').pk}/{act}/").status_code == 405

    def test_a_button_that_does_nothing_now_says_why(self, viewer: Client, operator: Client) -> None:
        cycle = make_cycle(state="running", control="pause")
        assert 'disabled title="You may look, but not act' in page(viewer, cycle)
        assert 'disabled title="A pause was asked for already."' in page(operator, cycle)
