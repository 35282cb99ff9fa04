"""A statement of a web process ends in time, and the answer says so."""

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client, RequestFactory
from psycopg.errors import QueryCanceled

from menace_site import errors, statements
from menace_site.api.problems import as_api_exception

SLOW = "SELECT pg_sleep(30)"


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The database's options, given back as they were."""
    here: dict[str, Any] = dict(connections.settings["default"].get("OPTIONS", {}))
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", here)
    return here


@pytest.fixture
def cancelled(db: None, options: dict[str, Any]) -> Iterator[OperationalError]:
    """What a statement over the limit raises."""
    statements.limit(0.05)
    late = connections.create_connection("default")
    try:
        with pytest.raises(OperationalError) as caught:
            late.cursor().execute(SLOW)
        yield caught.value
    finally:
        late.close()


def test_a_statement_over_the_limit_is_stopped(cancelled: OperationalError) -> None:
    assert isinstance(cancelled.__cause__, QueryCanceled)


def test_a_page_says_what_to_do(cancelled: OperationalError) -> None:
    try:
        raise cancelled
    except OperationalError:
        assert sys.exc_info()[1] is cancelled
        response = errors.broken(RequestFactory().get("/cycles/"))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert b"Narrow the filter" in response.content


def test_a_program_is_told_too(cancelled: OperationalError) -> None:
    error = as_api_exception(cancelled)
    assert error is not None
    assert error.status_code == 503
    assert "narrow the filter" in str(error.detail)


@pytest.mark.parametrize("door", ["menace_site.wsgi", "menace_site.asgi"])
def test_both_doors_set_the_limit(options: dict[str, Any], door: str) -> None:
    importlib.reload(importlib.import_module(door))
    assert "-c statement_timeout=3000" in options["options"]


def test_options_of_the_database_url_have_the_last_word(options: dict[str, Any]) -> None:
    options["options"] = "-c statement_timeout=9000"
    statements.limit()
    assert options["options"].endswith("-c statement_timeout=9000")


def test_workers_and_commands_have_no_limit(db: None, client: Client) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
