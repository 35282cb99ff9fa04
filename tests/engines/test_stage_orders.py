"""Hard stages that somebody asks for: once however often it is clicked, cancelled within seconds, audited."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from engines import tasks
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import Actor
from engines.domain.states import RevisionState
from engines.models import Engine, Promotion, WorkflowRevision, WorkflowStages
from engines.services import promotions, stage_orders, temporal_stages, workflows
from engines.services.pulse import closing
from engines.services.temporal_stages import measure_due
from forecasting.models import CycleMetrics
from menace_site.models import AuditEntry
from orphans.sandbox import Measurement, Outcome
from tests.engines.promoting import make_forecast
from tests.engines.test_temporal_stages import BROKEN, GOOD, Runs, shop, whole
from tests.factories import make_cycle, make_user
from tests.orphans.rows import make_batch, make_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole", "_no_notes", "sent")]
ADA = Actor(label="ada", kind="person")
__all__ = ["shop", "whole"]  # fixtures


@pytest.fixture
def _no_notes() -> None:
    cache.clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Orders in the place of a broker."""
    orders: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks, "_send_stages", orders.append)
    return orders


@pytest.fixture
def asked(
    shop: Engine,
    sent: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> dict[str, Any]:
    """An order for the engine's only workflow, as a worker gets it."""
    with django_capture_on_commit_callbacks(execute=True):
        stage_orders.ask(shop, actor=ADA)
    return sent[0]


def state(engine: Engine) -> str:
    note = stage_orders.noted(engine.pk)
    return "" if note is None else note["state"]


def candidate(engine: Engine) -> WorkflowRevision:
    """Make a candidate that succeeds where what is live fails, with a self-test of its module."""
    live = workflows.current(engine, "orders")
    runs = {"parent": {"runs": 5, "successes": 0}, "candidate": {"runs": 5, "successes": 5}}
    make_run(make_batch(engine.name), "extra.py", state="passed", content_hash="a" * 64, tests_passed=2)
    return WorkflowRevision.objects.create(
        engine=engine,
        workflow="orders",
        parent=live,
        state=RevisionState.CANDIDATE,
        steps=["shop:load"],
        input=live.input,
        module_path="extra.py",
        module_hash="a" * 64,
        benchmark={"roi": 1.5, "presets": {"baseline": runs}, "success_delta": 1.0},
    )


def test_a_second_click_hears_of_the_first_and_sets_nothing_off(shop: Engine, asked: dict[str, Any]) -> None:
    again = stage_orders.ask(shop, actor=Actor(label="grace"), workflow="orders")

    assert (again["token"], again["by"], again["state"]) == (asked["token"], "ada", "waiting")
    assert AuditEntry.objects.filter(verb="stages.run").count() == 1


def test_a_worker_runs_them_counts_and_ends_the_order_once(shop: Engine, asked: dict[str, Any]) -> None:
    runs = Runs()

    assert [stage_orders.carry_out(asked, run_one=runs.run) for _ in range(2)] == ["done", "done"]

    note = stage_orders.noted(shop.pk)
    assert note is not None
    assert (note["state"], note["done"], note["of"], len(runs.asked)) == ("done", 15, 15, 15)
    assert WorkflowStages.objects.get().requested_label == "ada"
    assert stage_orders.ask(shop, actor=ADA)["token"] != asked["token"], "it may be asked for anew"


def test_a_cancelled_order_stops_keeps_nothing_and_says_who(shop: Engine, asked: dict[str, Any]) -> None:
    def run_and_hear_of_it(spec: Any, *, cancel: Any, **_: Any) -> Measurement:
        stage_orders.cancel(shop, actor=Actor(label="grace"))
        cancel._heard -= stage_orders.LISTEN_SECONDS
        return Measurement(outcome=Outcome.CANCELLED) if cancel.is_set() else GOOD

    assert stage_orders.carry_out(asked, run_one=run_and_hear_of_it) == "done"

    note = stage_orders.noted(shop.pk)
    assert note is not None
    assert (note["state"], "grace" in note["message"]) == ("cancelled", True)
    assert not WorkflowStages.objects.exists()
    assert cache.get(temporal_stages.LOCK) is None
    with pytest.raises(Conflict, match="no stages"):
        stage_orders.cancel(shop, actor=ADA)
    assert AuditEntry.objects.filter(verb="stages.cancel").count() == 1


def test_what_waits_is_cancelled_before_it_begins(shop: Engine, asked: dict[str, Any]) -> None:
    assert stage_orders.cancel(shop, actor=ADA)["state"] == "cancelled"
    with pytest.raises(Conflict, match="no stages"):
        stage_orders.cancel(shop, actor=ADA)
    runs = Runs()

    stage_orders.carry_out(asked, run_one=runs.run)

    assert (state(shop), runs.asked) == ("cancelled", [])
    assert AuditEntry.objects.filter(verb="stages.cancel").count() == 1


@pytest.mark.parametrize(("silent", "state_then"), [(10.0, "running"), (200.0, "cancelled")])
def test_what_a_dead_worker_left_can_be_cancelled_at_once(
    shop: Engine, asked: dict[str, Any], silent: float, state_then: str
) -> None:
    heard = timezone.now() - timedelta(seconds=silent)
    stage_orders._told(shop.pk, asked["token"], state="running", heard=heard)

    assert stage_orders.cancel(shop, actor=ADA)["state"] == state_then
    again = stage_orders.ask(shop, actor=ADA)
    assert (again["token"] == asked["token"]) is (state_then == "running")


@pytest.mark.parametrize("why", ["others run", "the process ends"])
def test_it_is_tried_later(
    shop: Engine, asked: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Any] = []
    monkeypatch.setattr(tasks.run_stages, "apply_async", lambda *args, **more: later.append((args, more)))
    if why == "others run":
        cache.add(temporal_stages.LOCK, 1, 60)
    else:
        monkeypatch.setattr(stage_orders._Watch, "is_set", lambda _: True)

    tasks.run_stages(asked)

    assert later == [((((asked,),)), {"countdown": tasks.BUSY_SECONDS})]
    assert state(shop) == "waiting"
    assert not closing.asked


def test_what_goes_wrong_is_noted_and_frees_the_way(shop: Engine, asked: dict[str, Any]) -> None:
    def breaks(*_: Any, **__: Any) -> Measurement:
        raise OSError("no space left on device")

    assert stage_orders.carry_out(asked, run_one=breaks) == "done"
    note = stage_orders.noted(shop.pk)
    assert note is not None
    assert (note["state"], note["message"]) == ("failed", "no space left on device")
    assert stage_orders.ask(shop, actor=ADA)["state"] == "waiting"


@pytest.mark.parametrize(
    ("change", "given", "error"),
    [
        ({"enabled": False}, {}, Conflict),
        ({}, {"workflow": "nothing"}, InvalidInput),
        ({}, {"revision": 10**9}, InvalidInput),
        ({"manifest": {}}, {}, InvalidInput),
    ],
)
def test_what_can_not_run_is_refused(shop: Engine, change: Any, given: Any, error: type[Exception]) -> None:
    Engine.objects.filter(pk=shop.pk).update(**change)
    shop.refresh_from_db()

    with pytest.raises(error):
        stage_orders.ask(shop, actor=ADA, **given)
    assert state(shop) == ""


def test_a_revision_that_was_rejected_is_not_run(shop: Engine) -> None:
    revision = candidate(shop)
    WorkflowRevision.objects.filter(pk=revision.pk).update(state=RevisionState.REJECTED)

    with pytest.raises(Conflict, match="rejected"):
        stage_orders.ask(shop, actor=ADA, revision=revision.pk)


@pytest.mark.parametrize(("answers", "verdict"), [({}, "waiting"), ({"schema_drift": BROKEN}, "blocked")])
def test_a_held_candidate_comes_before_people_when_the_schedule_ran_its_stages(
    shop: Engine, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Measurement], verdict: str
) -> None:
    revision = candidate(shop)
    make_forecast(shop, brittle=None, risk="Stable")
    first = promotions.open_promotion(revision)
    assert (first.state, "brittle" in first.decision["unmeasured"]) == ("held", True)
    ran: list[int] = []
    real = temporal_stages.measure

    def measured(engine: Engine, chosen: WorkflowRevision, **more: Any) -> WorkflowStages:
        ran.append(chosen.pk)
        said = Runs(**(answers if chosen == revision else {}))
        return real(engine, chosen, **more, runner=said)

    monkeypatch.setattr(temporal_stages, "measure", measured)
    for _ in range(3):
        tasks.measure_stages()

    assert ran == [revision.parent_id, revision.pk], "what is live first, and each once"
    now = Promotion.objects.latest("pk")
    assert (now.state, now.evidence["stages"]["live"]["degradation"]) == (verdict, 0)
    assert Promotion.objects.get(pk=first.pk).state == "superseded"


def test_a_bot_without_a_model_comes_to_a_decision_with_nobodys_hand(
    shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = temporal_stages.measure
    monkeypatch.setattr(
        temporal_stages, "measure", lambda *a, **more: real(*a, **more, runner=Runs(), repeats=1)
    )
    first = promotions.open_promotion(candidate(shop))
    assert (first.state, first.evidence["forecast"]) == ("held", None)

    seen = []
    for _ in range(10):
        make_cycle(shop, "done")
        tasks.measure_stages()
        seen.append(Promotion.objects.latest("pk").state)

    assert (seen[0], seen[-1]) == ("held", "waiting")
    decided = Promotion.objects.latest("pk")
    assert decided.decision["unmeasured"] == ["flags"]
    assert decided.evidence["forecast"]["subject"] == "shop/orders"
    course = CycleMetrics.objects.filter(subject="shop/orders")
    assert course.filter(raroi__isnull=False).count() == course.count() - 2, "the first two have no risk yet"


def test_a_held_promotion_is_left_alone_where_nothing_new_is_known(shop: Engine) -> None:
    promotion = promotions.open_promotion(candidate(shop))

    assert promotions.renew(shop.pk, "orders") == []
    promotion.refresh_from_db()
    assert promotion.state == "held"


def test_candidates_of_an_engine_that_is_off_or_gone_from_disk_are_passed_over(shop: Engine) -> None:
    promotions.open_promotion(candidate(shop))
    Engine.objects.filter(pk=shop.pk).update(enabled=False)
    assert measure_due() is None
    Engine.objects.filter(pk=shop.pk).update(enabled=True, repository="/nowhere")
    assert measure_due() is None


class TestPages:
    """The button, the progress and the API."""

    @pytest.fixture
    def client(self) -> Client:
        client = Client()
        client.force_login(make_user("operator"))
        return client

    def test_a_click_shows_how_far_they_are_and_a_second_one_the_same(
        self, shop: Engine, client: Client
    ) -> None:
        address = f"/engines/{shop.name}/stages/"
        assert "Run the stages now" in client.get(address).content.decode()
        for _ in range(2):
            page = client.post(address, {"workflow": "orders"}, headers={"HX-Request": "true"})
            assert "0 of 15 runs" in page.content.decode()
        assert AuditEntry.objects.filter(verb="stages.run").count() == 1
        page = client.post(f"{address}cancel/", headers={"HX-Request": "true"})
        assert "The stages were cancelled by" in page.content.decode()

    def test_without_scripts_it_goes_back_and_says_what_was_refused(
        self, shop: Engine, client: Client
    ) -> None:
        page = client.post(f"/engines/{shop.name}/stages/cancel/", follow=True)
        assert page.redirect_chain[0][0] == f"/engines/{shop.name}/"
        assert "no stages" in page.content.decode()

    def test_the_api_has_one_order_for_all_who_ask(self, shop: Engine, client: Client) -> None:
        address = f"/api/engines/{shop.name}/stages/"
        answers = [client.post(address, {}, content_type="application/json") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert (
            answers[0].json()["token"]
            == answers[1].json()["token"]
            == client.get(address).json()["order"]["token"]
        )
        assert client.post(f"{address}cancel/").json()["state"] == "cancelled"
        wrong = client.post(address, {"revision": "7"}, content_type="application/json")
        assert wrong.status_code == 400
