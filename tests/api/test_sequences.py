"""Requests in any order, against a model of what a cycle may do: the API and the model always agree."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from engines.domain.states import STEPS, TERMINAL, CycleState
from engines.models import Cycle
from menace_site.models import AuditEntry
from tests.api.conftest import Api
from tests.factories import make_cycle, make_engine, make_user

ACTS: dict[str, dict[str, str]] = {
    "cancel": {"queued": "cancelled", "paused": "cancelled"},
    "pause": {"queued": "paused"},
    "resume": {"paused": "queued"},
    "retry": {state: "queued" for state in TERMINAL if state != CycleState.SKIPPED},
}
"""What each act does to a cycle that no worker runs; anything else is a conflict."""


class Client(RuleBasedStateMachine):
    """A program that asks whatever comes to its mind."""

    cycles = Bundle("cycles")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.api = Api(make_user("operator"))
        self.stranger = Api(make_user("viewer"))
        self.engine = make_engine("alpha")
        self.expected: dict[int, str] = {}
        self.acted = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(target=cycles, energy=st.floats(0.1, 10), key=st.none() | st.uuids().map(str))
    def trigger(self, energy: float, key: str | None) -> int:
        headers = {"Idempotency_Key": key} if key else {}
        answers = [self.api.post("cycles/", {"engine": "alpha", "energy": energy}, **headers)]
        if key:
            answers.append(self.api.post("cycles/", {"engine": "alpha", "energy": energy}, **headers))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        cycle = int(answers[0].json()["id"])
        self.expected[cycle] = "queued"
        self.acted += 1
        return cycle

    @rule(target=cycles, state=st.sampled_from(["failed", "done", "quarantined"]))
    def a_worker_ends_one(self, state: str) -> int:
        cycle = make_cycle(self.engine, state)
        self.expected[cycle.pk] = state
        return int(cycle.pk)

    @rule(cycle=cycles, act=st.sampled_from(sorted(ACTS)), step=st.sampled_from(STEPS))
    def act(self, cycle: int, act: str, step: str) -> None:
        body = {"from_step": step} if act == "retry" else {}
        answer = self.api.post(f"cycles/{cycle}/{act}/", body)
        after = ACTS[act].get(self.expected[cycle])
        if after is None:
            assert answer.status_code == 409, (self.expected[cycle], act, answer.content)
            assert answer["Content-Type"] == "application/problem+json"
        else:
            assert answer.status_code == 200, (self.expected[cycle], act, answer.content)
            self.expected[cycle] = after
            self.acted += 1

    @rule(cycle=cycles, act=st.sampled_from(sorted(ACTS)))
    def a_viewer_may_only_look(self, cycle: int, act: str) -> None:
        assert self.stranger.post(f"cycles/{cycle}/{act}/", {}).status_code == 403
        assert self.stranger.get(f"cycles/{cycle}/").status_code == 200

    @rule(cycle=cycles)
    def read(self, cycle: int) -> None:
        assert self.api.get(f"cycles/{cycle}/").json()["state"] == self.expected[cycle]

    @rule(state=st.sampled_from(["queued", "paused", "cancelled", "failed"]))
    def count(self, state: str) -> None:
        rows: list[dict[str, Any]] = self.api.get("cycles/", state=state, size=200).json()["results"]
        assert {row["id"] for row in rows} == {c for c, s in self.expected.items() if s == state}

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        assert dict(Cycle.objects.values_list("pk", "state")) == self.expected

    @invariant()
    def each_act_is_in_the_audit_once(self) -> None:
        assert AuditEntry.objects.filter(verb__startswith="cycle.").count() == self.acted


@pytest.mark.django_db
def test_any_sequence_of_requests_keeps_to_the_model() -> None:
    bounds = settings(
        max_examples=12,
        stateful_step_count=15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Client, settings=bounds)
