"""Commands with bad input: an exit code, one reason, nothing half done."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from engines.domain.errors import InvalidInput
from engines.models import Cycle, Engine
from menace_site.management.commands.benchmark_data import LARGEST
from menace_site.models import ApiToken, AuditEntry
from tests.factories import make_user

HUGE = "9" * 30
WRONG = ["", "x", "1.5", "0x10", "NaN", "--", "1e3", " ", "\u0661x"]
NUMBERS = [
    ("token", "create", "ada", "--days"),
    ("benchmark_data", "--cycles"),
    ("benchmark_data", "--cycles", "1", "--engines"),
    ("benchmark_data", "--cycles", "1", "--days"),
    ("benchmark_data", "--cycles", "1", "--seed"),
    ("events", "tail", "--count"),
    ("export_metrics", "--port"),
    ("self_test", "run", "--workers"),
    ("self_test", "cancel"),
    ("environment", "generate", "--count"),
    ("environment", "generate", "--seed"),
]


def told(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def nothing_done() -> bool:
    rows = (Cycle, Engine, ApiToken, AuditEntry)
    return not any(model.objects.exists() for model in rows)


@pytest.mark.parametrize("words", NUMBERS, ids=lambda words: " ".join(words))
def test_an_option_that_takes_a_number_takes_no_words(db: None, words: tuple[str, ...]) -> None:
    for value in WRONG:
        with pytest.raises((CommandError, InvalidInput)):
            told(*words, value)
    assert nothing_done()


UNKNOWN = [
    ("audit", "burn"),
    ("events", "listen"),
    ("events", "tail", "--topic", "cycle:nothing"),
    ("token", "steal"),
    ("token", "create"),
    ("token", "revoke"),
    ("orphans", "delete", "x.py"),
    ("orphans", "list", "--state", "haunted"),
    ("orphans", "list", "--class", "haunted"),
    ("orphans", "show"),
    ("orphans", "retire", "x.py"),
    ("orphans", "scan"),
    ("orphans", "scan", ".", "--json", "--paths"),
    ("orphans", "scan", ".", "--library", "--application"),
    ("self_test", "report", "one"),
    ("self_test", "cancel"),
    ("environment",),
    ("environment", "run"),
    ("environment", "list", "--unknown"),
    ("benchmark_data", "--cycles", "1", "--unknown"),
]


@pytest.mark.parametrize("words", UNKNOWN, ids=lambda words: " ".join(words))
def test_unknown_words_are_refused(db: None, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        told(*words)
    assert nothing_done()


@pytest.mark.parametrize("days", ["-1", "3651", HUGE, f"-{HUGE}"])
def test_a_token_lives_for_ten_years_at_most(db: None, days: str) -> None:
    make_user("viewer", username="ada")
    with pytest.raises(CommandError, match="--days must lie between 0 and 3650") as caught:
        told("token", "create", "ada", "--days", days)
    assert caught.value.returncode == 2
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("days", "ends"), [("0", False), ("1", True), ("3650", True)])
def test_the_bounds_of_days_are_taken(db: None, days: str, ends: bool) -> None:
    make_user("viewer", username="ada")
    told("token", "create", "ada", "--days", days)
    assert (ApiToken.objects.get().expires_at is not None) is ends


@pytest.mark.parametrize("scopes", ["", ",", "all", "read,all", "READ", "read;operate", "read operate"])
def test_unknown_scopes_make_no_token(db: None, scopes: str) -> None:
    make_user("viewer", username="ada")
    with pytest.raises(CommandError, match="scopes of: read, operate, approve") as caught:
        told("token", "create", "ada", "--scopes", scopes)
    assert caught.value.returncode == 2
    assert nothing_done()


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\x1b[31mb"])
def test_a_bad_name_makes_no_token(db: None, name: str) -> None:
    make_user("viewer", username="ada")
    with pytest.raises(CommandError, match="1 to 100 printable characters"):
        told("token", "create", "ada", "--name", name)
    assert nothing_done()


@pytest.mark.parametrize("prefix", ["", "x", "men_", "' OR 1=1 --", "%", HUGE])
def test_an_unknown_token_is_not_revoked(db: None, prefix: str) -> None:
    make_user("viewer", username="ada")
    told("token", "create", "ada")
    with pytest.raises(CommandError, match="there is no token"):
        told("token", "revoke", prefix)
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize(
    "words",
    [
        ("--cycles", "0"),
        ("--cycles", "-5"),
        ("--cycles", str(LARGEST + 1)),
        ("--cycles", HUGE),
        ("--cycles", "1", "--engines", "0"),
        ("--cycles", "1", "--engines", "501"),
        (),
    ],
)
def test_made_rows_have_bounds(db: None, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="takes 1 to"):
        told("benchmark_data", *words)
    assert nothing_done()


@pytest.mark.parametrize("port", ["-1", "65536", HUGE])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CommandError, match="can't listen on"):
        told("export_metrics", "--port", port)


@pytest.mark.parametrize("address", ["999.1.1.1", "nowhere.invalid", "::1::"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(CommandError, match="can't listen on"):
        told("export_metrics", "--addr", address, "--port", "0")


@pytest.mark.parametrize("head", ["x", "0" * 64, "' OR 1=1", "0" * 10_000])
def test_a_head_that_is_no_row_is_told(db: None, head: str) -> None:
    with pytest.raises(CommandError, match="no row has the hash"):
        told("audit", "verify", "--head", head)


def test_the_head_of_an_empty_log_is_nothing(db: None) -> None:
    assert told("audit", "head") == ""


def test_topics_are_listed_as_json_line_by_line(private_servers: Any) -> None:
    rows = [json.loads(line) for line in told("events", "topics", "--json").splitlines()]
    assert {row["topic"] for row in rows} >= {"cycle:queued", "cycle:finished"}
    assert all(row["kept"] >= 0 and row["meaning"] for row in rows)


@pytest.mark.parametrize("since", ["x", "1-x", "-1", "$$", "1-2-3"])
def test_a_place_in_a_stream_that_is_none_is_refused(private_servers: Any, since: str) -> None:
    with pytest.raises(CommandError):
        told("events", "tail", "--since", since, "--count", "1")


@pytest.mark.parametrize("count", ["-1", "-999"])
def test_a_negative_number_of_messages_is_refused(private_servers: Any, count: str) -> None:
    with pytest.raises(CommandError, match="--count"):
        told("events", "tail", "--since", "0", "--count", count)


def test_no_messages_are_no_wait(private_servers: Any) -> None:
    assert told("events", "tail", "--count", "0") == ""


@pytest.mark.parametrize("days", ["-1", "0", "1000000", HUGE])
def test_made_rows_lie_in_days_that_exist(db: None, days: str) -> None:
    with pytest.raises(CommandError, match="--days"):
        told("benchmark_data", "--cycles", "1", "--days", days)
    assert nothing_done()


@pytest.mark.parametrize("number", [HUGE, "-1", "0", str(2**63), str(2**31)])
@pytest.mark.parametrize("act", ["report", "cancel"])
def test_a_set_of_self_tests_that_is_none_is_named(db: None, act: str, number: str) -> None:
    with pytest.raises((CommandError, InvalidInput)):
        told("self_test", act, "--", number)


@pytest.mark.parametrize("workers", ["0", "-1", f"-{HUGE}"])
def test_no_workers_test_nothing(db: None, workers: str) -> None:
    with pytest.raises(InvalidInput, match="at least 1"):
        told("self_test", "run", f"--workers={workers}")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "manage.py", "help", "--commands"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")
