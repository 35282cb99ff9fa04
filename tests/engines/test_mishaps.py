"""What a step's error means: gone by itself, a cut connection, or a failure that the row keeps."""

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection

from engines.domain.cycle import StepFailed, StepTimeout, TransientStepError
from engines.services.mishaps import TRANSIENT, cut, report_of
from engines.services.step_rows import LOG_CHARS


def caused(kind: type[Exception], cause: Exception | None) -> Exception:
    error = kind("it failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        None,
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.errors.AdminShutdown("terminating connection"),
        psycopg.errors.CrashShutdown("crash"),
        psycopg.errors.CannotConnectNow("starting up"),
        psycopg.errors.TooManyConnections("too many clients"),
        psycopg.errors.ConnectionFailure("broken"),
    ],
)
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_connection_that_is_gone_is_cut(kind: type[Exception], cause: Exception | None) -> None:
    assert cut(caused(kind, cause))


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.errors.QueryCanceled("statement timeout"),
        psycopg.errors.DeadlockDetected("deadlock"),
        psycopg.errors.SerializationFailure("try again"),
        psycopg.errors.OutOfMemory("out of memory"),
        psycopg.errors.DiskFull("no space"),
        psycopg.errors.LockNotAvailable("locked"),
    ],
)
def test_a_statement_that_failed_is_not(cause: Exception) -> None:
    assert not cut(caused(OperationalError, cause))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        OSError("broken pipe"),
        ConnectionResetError("reset"),
        caused(IntegrityError, psycopg.errors.UniqueViolation("twice")),
        caused(DataError, psycopg.errors.NumericValueOutOfRange("large")),
    ],
)
def test_other_errors_are_not_the_databases_connection(error: Exception) -> None:
    assert not cut(error)


@pytest.mark.django_db
def test_a_real_statement_that_took_too_long_keeps_its_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 20")
        with pytest.raises(OperationalError) as caught:
            cursor.execute("SELECT pg_sleep(5)")
    assert not cut(caught.value)
    assert isinstance(caught.value, TRANSIENT)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientStepError("memory"), True),
        (StepTimeout("too long"), True),
        (SoftTimeLimitExceeded(), True),
        (FileNotFoundError("gone"), True),
        (OperationalError("deadlock"), True),
        (StepFailed("the pipeline failed"), False),
        (ValueError("no"), False),
        (KeyError("no"), False),
        (AssertionError("no"), False),
    ],
)
def test_only_what_may_go_away_by_itself_is_tried_again(error: Exception, again: bool) -> None:
    assert isinstance(error, TRANSIENT) == again


def test_an_expected_failure_is_kept_as_its_words_and_its_log() -> None:
    assert report_of(StepFailed("no data", log="line 1\nline 2")) == {
        "error": "no data",
        "log": "line 1\nline 2",
    }


def test_an_unexpected_one_is_kept_with_its_trace() -> None:
    try:
        dict[str, int]()["missing"]
    except KeyError as error:
        found = report_of(error)
    assert set(found) == {"error"}
    assert found["error"].startswith("Traceback")
    assert found["error"].rstrip().endswith("KeyError: 'missing'")


def test_long_words_keep_their_beginning_and_long_logs_their_end() -> None:
    log = "a" * LOG_CHARS + "the end"
    found = report_of(StepFailed("begin" + "x" * LOG_CHARS, log=log))
    assert (len(found["error"]), len(found["log"])) == (LOG_CHARS, LOG_CHARS)
    assert found["error"].startswith("begin")
    assert found["log"].endswith("the end")
    told = report_of(ValueError("y" * 2 * LOG_CHARS + "the end"))["error"]
    assert len(told) == LOG_CHARS
    assert told.rstrip().endswith("the end")
