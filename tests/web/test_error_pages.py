"""Pages of errors: they need nothing, tell nothing of the inside, and programs get a problem."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from psycopg.errors import QueryCanceled

from menace_site import errors
from menace_site.api.problems import MEDIA_TYPE

HOSTILE = "<script>alert(1)</script>"
Page = Callable[..., HttpResponse]
PAGES: list[tuple[Page, tuple[Any, ...], int]] = [
    (errors.bad_request, (ValueError(HOSTILE),), 400),
    (errors.forbidden, (PermissionError("only approvers decide"),), 403),
    (errors.not_found, (KeyError(HOSTILE),), 404),
    (errors.broken, (), 500),
    (errors.csrf_failed, (HOSTILE,), 403),
    (errors.locked_out, (), 429),
]


def request(path: str, theme: str = "") -> Any:
    made = RequestFactory().get(path)
    made.COOKIES["theme"] = theme
    return made


def raised(error: Exception, path: str = "/cycles/", cause: Exception | None = None) -> HttpResponse:
    """Return the answer to a request during which this was raised."""
    error.__cause__ = cause
    try:
        raise error
    except Exception:  # noqa: BLE001 - as Django's own handler has it
        return errors.broken(request(path))


@pytest.mark.parametrize(("page", "given", "status"), PAGES)
def test_each_page_has_its_status_and_runs_no_script(page: Page, given: tuple[Any, ...], status: int) -> None:
    answer = page(request("/somewhere/"), *given)
    text = answer.content.decode()
    assert answer.status_code == status
    assert str(status) in text
    assert errors.TITLES[status] in text
    assert "<script>alert" not in text


@pytest.mark.parametrize(("page", "given", "status"), PAGES)
def test_a_program_gets_a_problem(page: Page, given: tuple[Any, ...], status: int) -> None:
    answer = page(request("/api/cycles/"), *given)
    told = json.loads(answer.content)
    assert (answer.status_code, answer["Content-Type"]) == (status, MEDIA_TYPE)
    assert (told["status"], told["instance"]) == (status, "/api/cycles/")
    assert set(told) == {"type", "title", "status", "detail", "instance", "errors"}
    assert told["type"].startswith("urn:menace:problem:")


@pytest.mark.parametrize(("page", "given", "status"), PAGES)
def test_no_page_of_errors_asks_the_database(page: Page, given: tuple[Any, ...], status: int) -> None:
    """Without the mark that allows it, pytest-django raises on every query."""
    assert page(request("/somewhere/"), *given).status_code == status


def test_a_reason_is_shown_escaped_and_cut() -> None:
    text = errors.forbidden(request("/x/"), PermissionError(HOSTILE + "y" * 500)).content.decode()
    assert "&lt;script&gt;" in text
    assert text.count("y") < 300
    assert (
        "Your role does not allow this"
        in errors.forbidden(request("/x/"), PermissionError()).content.decode()
    )


@pytest.mark.parametrize("error", [OperationalError("at 10.0.0.7"), InterfaceError("at 10.0.0.7")])
@pytest.mark.parametrize("path", ["/cycles/", "/api/cycles/"])
def test_a_database_that_is_away_is_worth_a_retry(error: Exception, path: str) -> None:
    answer = raised(error, path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert errors.AWAY in answer.content.decode()
    assert "10.0.0.7" not in answer.content.decode()


def test_a_statement_that_was_stopped_says_what_to_do() -> None:
    answer = raised(OperationalError("canceling statement"), cause=QueryCanceled())
    assert answer.status_code == 503
    assert errors.SLOW in answer.content.decode()


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), MemoryError("secret")])
def test_a_defect_is_no_retry_and_tells_nothing(error: Exception) -> None:
    answer = raised(error)
    assert answer.status_code == 500
    assert not answer.has_header("Retry-After")
    assert "secret" not in answer.content.decode()


def test_too_many_passwords_say_how_long() -> None:
    assert errors.locked_out(request("/login/"))["Retry-After"] == "900"


@pytest.mark.parametrize(
    ("cookie", "shown"), [("dark", True), ("light", True), ('"><script>', False), ("neon", False)]
)
def test_only_known_colours_reach_the_page(cookie: str, shown: bool) -> None:
    text = errors.not_found(request("/x/", cookie), KeyError()).content.decode()
    assert (cookie in text) is shown


@pytest.mark.parametrize("path", ["/api/\u202e/", "/api/<b>", "/api/" + "x" * 3000, "/api/%00"])
def test_a_strange_address_is_told_as_json(path: str) -> None:
    answer = errors.not_found(request(path), KeyError())
    assert json.loads(answer.content)["status"] == 404
    assert answer["Content-Type"] == MEDIA_TYPE
