"""Generated requests to every operation of the API, good and bad, whose answers must be documented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema

from tests.api.conftest import Api
from tests.factories import (
    make_cycle,
    make_day,
    make_engine,
    make_point,
    make_revision,
    make_steps,
    make_user,
    make_version,
)
from tests.forecasting.rows import make_forecast
from tests.orphans.rows import make_batch, make_module, make_run, make_scan

Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 12
"""Requests per operation and role; 5 roles and some 40 operations make 2,400."""

PLAIN = {"Accept-Encoding": "identity"}
NAMES = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


@pytest.fixture
def ids(db: None) -> dict[str, Any]:
    """Rows that the requests may hit, by the name of the path parameter."""
    engine = make_engine("alpha")
    cycle = make_cycle(engine, "failed", roi_delta=0.5, decision={"run": True})
    make_steps(cycle, done=3)
    make_cycle(engine, "queued")
    make_version(engine, cycle=cycle)
    make_point("alpha")
    make_day("alpha", cycle.created_at.date())
    batch = make_batch(pk=cycle.pk, total=1)
    make_run(batch, pk=cycle.pk, module=make_module(pk=cycle.pk))
    make_scan(pk=cycle.pk)
    make_revision(engine, pk=cycle.pk)
    make_forecast("alpha", actual=[1.0])
    return {"name": engine.name, "id": str(cycle.pk)}


@pytest.fixture(scope="module")
def checks() -> list[Any]:
    load_all_checks()
    return CHECKS.get_by_names(NAMES)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Leave the connection open between requests, as Django's own test client does: the rows live in its
    transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def described(headers: dict[str, str]) -> BaseSchema:
    # Not `menace_site.wsgi`: importing that limits how long the statements of this process may take.
    return schemathesis.openapi.from_wsgi("/api/schema/", WSGIHandler(), headers={**headers, **PLAIN})


def operations(schema: BaseSchema) -> Iterator[Operation]:
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def attack(operation: Operation, api: Api, ids: dict[str, Any], checks: list[Any]) -> None:
    """Send generated requests, good and bad, to known and random things; every answer must be documented."""
    known = {name: value for name, value in ids.items() if f"{{{name}}}" in operation.path}
    kinds = [
        operation.as_strategy(mode, path_parameters=fixed)
        for mode in GenerationMode
        for fixed in ([known, None] if known else [None])
    ]

    @seed(20_260)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(kinds))
    def send(case: Any) -> None:
        with transaction.atomic():
            case.call_and_validate(headers={**api.headers, **PLAIN}, checks=checks)
            transaction.set_rollback(True)  # each request meets the same rows

    send()


def attack_all(role: str, ids: dict[str, Any], checks: list[Any]) -> int:
    """Attack every operation as somebody of a role; return how many there are."""
    reader = Api(make_user("viewer"))
    api = reader if role == "viewer" else Api(None if role == "anonymous" else make_user(role))
    found = list(operations(described(reader.headers)))
    for operation in found:
        attack(operation, api, ids, checks)
    return len(found)
