"""Panels: rows become plain mappings that pages, the API and figures share."""

import datetime as dt
import json
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from engines import panels
from engines.domain.states import CycleState
from engines.domain.wording import MINUS
from engines.models import Cycle, Engine
from engines.panels.cycles import listed, neighbours, triggers
from engines.panels.outcome import folds, roi
from engines.panels.timeline import TAIL_LINES, tail
from tests.factories import (
    make_cycle,
    make_cycles,
    make_engine,
    make_point,
    make_roi_event,
    make_step,
    make_steps,
    make_version,
)

pytestmark = pytest.mark.django_db


def plain(panel: Any) -> Any:
    """Return a panel after a round through JSON: it must survive one."""
    return json.loads(json.dumps(panel, cls=DjangoJSONEncoder, allow_nan=False))


class TestCycleRow:
    """One row of a list."""

    def test_it_is_plain_data(self) -> None:
        cycle = make_cycle(roi_delta=-0.5, cost=0.1, requested_label="ada")
        row = plain(panels.cycle_row(cycle))
        assert (row["id"], row["engine"], row["who"]) == (cycle.pk, cycle.engine.name, "ada")
        assert (row["roi_delta"], row["roi_text"], row["roi_sign"]) == (-0.5, f"{MINUS}0.5", "down")

    @pytest.mark.parametrize(
        ("control", "said"), [("", "running"), ("pause", "pausing"), ("cancel", "cancelling")]
    )
    def test_what_was_asked_shows_before_it_happened(self, control: str, said: str) -> None:
        assert panels.cycle_row(make_cycle(state="running", control=control))["word"] == said

    def test_only_a_queued_cycle_waits(self) -> None:
        assert panels.cycle_row(make_cycle(state="queued"))["waits_until"] is not None
        assert panels.cycle_row(make_cycle(state="done"))["waits_until"] is None

    def test_it_never_tells_more_steps_than_there_are(self) -> None:
        row = panels.cycle_row(make_cycle(steps_done=23))
        assert (row["steps_done"], row["steps_total"]) == (10, 10)

    def test_a_list_reads_its_columns_alone(self) -> None:
        make_cycle(decision={"big": "x" * 10_000})
        sql = str(listed(Cycle.objects.all()).query)
        assert '"decision"' not in sql
        assert '"manifest"' not in sql

    def test_a_list_needs_one_statement(self, django_assert_num_queries: Any) -> None:
        make_cycles(20)
        with django_assert_num_queries(1):
            rows = [panels.cycle_row(cycle) for cycle in listed(Cycle.objects.all())]
        assert len(rows) == 20


class TestCycleHead:
    """The head of a cycle's page."""

    def test_it_tells_what_happened_to_the_lease(self) -> None:
        cycle = make_cycle(takeovers=2, fenced=1, attempts=3, lease_owner="host:1")
        head = plain(panels.cycle_head(cycle))
        assert (head["takeovers"], head["fenced"], head["lease_owner"]) == (2, 1, "host:1")

    def test_gaps_stay_gaps(self) -> None:
        head = panels.cycle_head(make_cycle(roi_gain=None, value=None, momentum=None))
        assert {head["roi_gain"], head["value_text"], head["ema"], head["momentum"]} == {"not measured"}

    def test_the_first_and_the_last_have_one_neighbour(self) -> None:
        engine = make_engine()
        first, last = make_cycle(engine), make_cycle(engine)
        everything = Cycle.objects.all()
        assert neighbours(first, everything) == {"earlier": None, "later": last.pk}
        assert neighbours(last, everything) == {"earlier": first.pk, "later": None}


class TestStatePills:
    """Counts by state."""

    def test_every_state_has_one(self) -> None:
        pills = panels.state_pills(Cycle.objects.all())
        assert [pill["state"] for pill in pills] == [str(state) for state in CycleState]
        assert {pill["count"] for pill in pills} == {"0"}

    def test_they_need_one_statement(self, django_assert_num_queries: Any) -> None:
        make_cycles(5)
        make_cycle(state="failed")
        with django_assert_num_queries(1):
            pills = {pill["state"]: pill["number"] for pill in panels.state_pills(Cycle.objects.all())}
        assert (pills["done"], pills["failed"]) == (5, 1)

    def test_an_empty_filter_is_counted_too(self) -> None:
        make_cycles(3)
        found = panels.state_pills(Cycle.objects.filter(trigger="manual"), ("done",))
        assert {pill["number"] for pill in found} == {0}
        assert [pill["state"] for pill in found if pill["chosen"]] == ["done"]

    def test_a_filter_that_matches_nothing_by_definition_is_zero(self) -> None:
        make_cycles(3)
        assert {pill["number"] for pill in panels.state_pills(Cycle.objects.none())} == {0}


class TestTimeline:
    """Steps."""

    def test_a_running_step_has_its_progress_in_percent(self) -> None:
        step = make_step(make_cycle(state="running"), state="running", progress=0.425, attempt=2)
        row = plain(panels.step_row(step))
        assert (row["percent"], row["running"], row["attempt"]) == (42, True, 2)

    def test_an_unknown_progress_is_none(self) -> None:
        assert panels.step_row(make_step(make_cycle(), state="running"))["percent"] is None

    def test_a_log_is_cut_to_its_tail(self) -> None:
        log = "\n".join(str(number) for number in range(TAIL_LINES + 50))
        row = panels.step_row(make_step(make_cycle(), log=log))
        assert row["log"].splitlines()[0] == "50"
        assert row["log_cut"] is True
        assert tail("") == ""

    @pytest.mark.parametrize(
        ("error", "fault", "folded"),
        [
            ("", "", False),
            ("it failed", "it failed", False),
            ("first line\nsecond", "first line", True),
            ("Traceback (most recent call last):\n  File\nValueError: x", "ValueError: x", True),
        ],
    )
    def test_an_error_is_its_line_and_its_trace(self, error: str, fault: str, folded: bool) -> None:
        row = panels.step_row(make_step(make_cycle(), state="failed", error=error))
        assert row["fault"] == fault
        assert bool(row["trace"]) is folded

    def test_all_steps_come_in_order(self) -> None:
        cycle = make_cycle()
        make_steps(cycle)
        assert [step["name"] for step in panels.steps(cycle)][:3] == ["inspect", "patch", "retrain"]


class TestOutcome:
    """What came of a cycle."""

    def test_without_training_there_is_none(self) -> None:
        assert panels.outcome(make_cycle(), {}) is None
        assert panels.outcome(make_cycle(), {"retrain": {"other": 1}}) is None

    def test_a_missing_challenger_is_a_gap_not_the_champion(self) -> None:
        result = {"verdict": "no challenger", "champion": {"metrics": {"f1": 0.9}}, "metrics": {"f1": 0.9}}
        found = panels.outcome(make_cycle(), {"retrain": result})
        assert found is not None
        assert found["metrics"] == [{"name": "f1", "old": "0.9", "new": "not measured", "change": ""}]

    def test_folds_need_both_sides_whole(self) -> None:
        assert folds({"fold_scores": [0.5]}, {"fold_scores": [0.5, None]}) == []
        assert len(folds({"fold_scores": [0.5, 0.6]}, {"fold_scores": [0.7, 0.5]})) == 2

    def test_an_interval_needs_both_bounds(self) -> None:
        cycle = make_cycle()
        half = roi({"roi_gain": 1.0, "value": 2.0, "cost": 1.0, "low": 0.5, "high": None}, cycle)
        assert half is not None
        assert (half["interval"], half["confidence"]) == ("", "")
        assert roi(None, cycle) is None

    def test_no_decision_is_none(self) -> None:
        assert panels.decision(make_cycle(decision=None)) is None


class TestEngines:
    """Cards and facts."""

    @pytest.mark.parametrize(
        ("states", "enabled", "said"),
        [
            (["running", "queued"], True, "running"),
            (["queued", "paused"], True, "queued"),
            (["paused"], True, "paused"),
            (["done"], True, "idle"),
            ([], False, "off"),
        ],
    )
    def test_an_engines_state_is_what_it_does_now(self, states: list[str], enabled: bool, said: str) -> None:
        engine = make_engine(enabled=enabled)
        for state in states:
            make_cycle(engine, state=state)
        (card,) = panels.overview([engine])
        assert card["state"] == said

    def test_the_latest_cycle_is_each_engines_own(self) -> None:
        alpha, beta, gamma = make_engine("alpha"), make_engine("beta"), make_engine("gamma")
        make_cycle(alpha)
        newest = make_cycle(alpha)
        other = make_cycle(beta)
        cards = {card["name"]: card["latest"] for card in panels.overview([alpha, beta, gamma])}
        assert (cards["alpha"]["id"], cards["beta"]["id"], cards["gamma"]) == (newest.pk, other.pk, None)

    def test_what_waits_is_counted_by_engine(self) -> None:
        alpha, beta = make_engine("alpha"), make_engine("beta")
        make_version(alpha)
        make_version(alpha)
        make_version(beta, "champion")
        counts = {card["name"]: card["candidates"] for card in panels.overview([alpha, beta])}
        assert counts == {"alpha": 2, "beta": 0}

    def test_an_odd_history_is_left_out(self) -> None:
        engine = make_engine(roi_history=[1, {"delta": None}, {"delta": 0.5}, {"other": 2}])
        (card,) = panels.overview([engine])
        assert (card["deltas"], card["delta_text"]) == ([0.5], "+0.5")

    def test_a_schedule_that_is_off_has_no_next_time(self) -> None:
        soon = timezone.now() + dt.timedelta(minutes=5)
        off = make_engine(schedule_seconds=60, next_due_at=soon, enabled=False)
        assert panels.engine_facts(off)["next_due_at"] is None
        assert panels.engine_facts(off)["every"] == "1 m"

    def test_facts_are_plain_data(self) -> None:
        facts = plain(
            panels.engine_facts(Engine.objects.get(pk=make_engine(manifest={"pipeline": "a:b"}).pk))
        )
        assert facts["has_pipeline"] is True
        assert facts["has_value_model"] is False

    def test_a_version_without_an_artifact_has_no_size(self) -> None:
        engine = make_engine()
        make_version(engine, sha256="", metrics=["not", "a", "mapping"])
        (row,) = panels.versions(engine)
        assert (row["size"], row["metrics"]) == ("", [])


def test_histories_belong_to_the_engines_name() -> None:
    engine = make_engine("alpha")
    make_roi_event("alpha", 0.5)
    make_roi_event("beta", 9.0)
    make_point("alpha", "f1", 0.7)
    assert [point["delta"] for point in panels.roi_history(engine)["points"]] == [0.5]
    assert [point["value"] for point in panels.metric_history(engine, "f1", period="7d")["points"]] == [0.7]


def test_triggers_are_words() -> None:
    assert "manual" in triggers()
