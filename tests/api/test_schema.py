"""The schema is complete and valid, and the API keeps to it whatever a client sends that may only read."""

import io
from typing import Any

import pytest
from django.core.management import call_command

from menace_site.api.urls import urlpatterns
from tests.api.attacking import attack_all, checks, ids, one_connection
from tests.api.conftest import Api

__all__ = ["checks", "ids", "one_connection"]


def test_the_schema_is_valid_and_nothing_is_guessed() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


def test_every_operation_documents_its_errors(viewer: Api) -> None:
    schema = viewer.get("schema/").json()
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            assert {"400", "401", "403", "429", "503"} <= set(responses), (path, method)
            assert ("404" in responses) >= ("{" in path)
            content = responses["401"]["content"]
            assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert operation["description"]


def test_every_address_of_the_api_is_in_the_schema(viewer: Api) -> None:
    named = {pattern.name for pattern in urlpatterns}
    described = len(viewer.get("schema/").json()["paths"])
    assert described == len(named - {"api-docs", "api-schema", "api-unknown"})


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ["anonymous", "viewer"])
def test_no_request_of_readers_gets_an_undocumented_answer(
    role: str, ids: dict[str, Any], checks: list[Any]
) -> None:
    assert attack_all(role, ids, checks) >= 36
