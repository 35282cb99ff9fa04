"""What goes wrong inside becomes a problem document, never a page and never a trace."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework.exceptions import ErrorDetail, Throttled, ValidationError

from engines.domain.errors import Conflict, InvalidInput, LeaseLost, ManifestError, NotConfigured
from engines.models import Cycle
from menace_site.api.problems import problem

CASES = [
    (InvalidInput("no", field="energy"), 400, "invalid"),
    (ManifestError("no", file="menace.toml", field="value.metric"), 400, "invalid"),
    (Conflict("no"), 409, "conflict"),
    (LeaseLost("no"), 409, "conflict"),
    (NotConfigured("no"), 503, "not-configured"),
    (Http404(), 404, "not-found"),
    (Cycle.DoesNotExist(), 404, "not-found"),
    (PermissionDenied(), 403, "permission-denied"),
    (RequestDataTooBig(), 413, "too-large"),
    (SuspiciousOperation("no"), 400, "parse-error"),
    (OperationalError("server closed the connection"), 503, "unavailable"),
    (InterfaceError("gone"), 503, "unavailable"),
    (Throttled(wait=7.2), 429, "throttled"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES, ids=lambda value: type(value).__name__)
def test_each_error_has_its_status_and_kind(error: Exception, status: int, code: str) -> None:
    answer = problem(error, {})
    assert answer is not None
    assert answer.status_code == status
    assert answer.data["type"] == f"urn:menace:problem:{code}"
    assert answer.content_type == "application/problem+json"


def test_a_database_error_tells_no_internals() -> None:
    answer = problem(OperationalError('connection to "/secret/socket" failed'), {})
    assert answer is not None
    assert "secret" not in str(answer.data)
    assert answer["Retry-After"] == "5"


def test_the_time_to_wait_is_named() -> None:
    answer = problem(Throttled(wait=7.2), {})
    assert answer is not None
    assert answer["Retry-After"] == "8"


def test_a_defect_is_left_to_django() -> None:
    assert problem(ZeroDivisionError(), {}) is None


def test_nested_errors_name_the_path_to_the_field() -> None:
    detail: Any = {
        "values": {"accuracy": [ErrorDetail("a number", "invalid")]},
        "steps": [{}, {"name": [ErrorDetail("too long", "max_length")]}],
        "non_field_errors": [ErrorDetail("together wrong", "invalid")],
    }
    answer = problem(ValidationError(detail), {})
    assert answer is not None
    assert answer.data["errors"] == [
        {"field": "values.accuracy", "code": "invalid", "detail": "a number"},
        {"field": "steps.name", "code": "max_length", "detail": "too long"},
        {"field": "", "code": "invalid", "detail": "together wrong"},
    ]
    assert answer.data["detail"] == "values.accuracy: a number (and 2 more)"
