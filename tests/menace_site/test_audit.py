"""The audit log: a chain that can't be changed without being noticed."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from engines.domain.results import Actor
from engines.signals import acted
from menace_site import audit
from menace_site.models import AuditEntry

ADA = Actor(user_id=7, label="ada", kind="person")


def write(**detail: Any) -> AuditEntry:
    return audit.record(actor=ADA, verb="cycle.cancel", target="cycle:7", detail=detail)


def tamper(sql: str) -> None:
    """Do what only somebody with the rights of the table's owner can."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE menace_site_auditentry DISABLE TRIGGER audit_append_only")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE menace_site_auditentry ENABLE TRIGGER audit_append_only")


def test_each_row_covers_the_one_before(db: None) -> None:
    first, second = write(energy=2), write(energy=3)
    assert (first.previous, second.previous) == ("", first.sha256)
    assert audit.verify() is None
    assert (first.user_id_at_time, first.actor, first.actor_kind) == (7, "ada", "person")


@pytest.mark.parametrize(
    "detail",
    [
        {"a": 1.0, "b": 1e22, "c": -0.1, "d": 2**70, "e": float("nan"), "f": [True, None, {"x": 1e-7}]},
        {"nul\0": "a\0b", "half": "\ud800", "quote": '"</script>', "emoji": "🦊"},
        {"when": datetime(2026, 1, 2, tzinfo=UTC), "set": {1}},
        {},
    ],
)
def test_any_detail_survives_the_round_trip(db: None, detail: dict[str, Any]) -> None:
    write(**detail)
    assert audit.verify() is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE menace_site_auditentry SET actor = 'eve'",
        "DELETE FROM menace_site_auditentry",
    ],
)
def test_the_database_refuses_changes(db: None, change: str) -> None:
    write()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert AuditEntry.objects.get().actor == "ada"


@pytest.mark.parametrize("change", [lambda rows: rows.update(actor="eve"), lambda rows: rows.delete()])
def test_the_model_refuses_changes(db: None, change: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="append-only"):
        change(AuditEntry.objects.all())


def test_an_altered_row_is_found(db: None) -> None:
    _, second, _ = write(), write(), write()
    tamper(f"UPDATE menace_site_auditentry SET actor = 'eve' WHERE id = {second.pk}")
    assert audit.verify() == second


def test_a_row_that_vanished_from_the_middle_is_found(db: None) -> None:
    _, second, third = write(), write(), write()
    tamper(f"DELETE FROM menace_site_auditentry WHERE id = {second.pk}")
    assert audit.verify() == third


def test_a_tail_that_was_cut_off_is_found_by_a_noted_head(db: None) -> None:
    write()
    last = write()
    newest = audit.head()
    assert newest is not None
    tamper(f"DELETE FROM menace_site_auditentry WHERE id = {last.pk}")
    assert audit.verify() is None
    with pytest.raises(LookupError, match=newest[2]):
        audit.verify(head=newest[2])


def test_news_of_acts_become_rows(db: None) -> None:
    acted.send(sender=object, actor=ADA, verb="engine.register", target="engine:alpha", detail={"path": "/x"})
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.target, entry.detail) == ("engine.register", "engine:alpha", {"path": "/x"})


def test_a_row_vanishes_with_the_act_that_failed(db: None) -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_command_verifies(db: None) -> None:
    write()
    out = StringIO()
    call_command("audit", "verify", stdout=out)
    assert out.getvalue() == "the chain is whole\n"
    tamper("UPDATE menace_site_auditentry SET verb = 'x'")
    with pytest.raises(CommandError, match="was altered"):
        call_command("audit", "verify")


def test_command_prints_the_head(db: None) -> None:
    out = StringIO()
    entry = write()
    call_command("audit", "head", stdout=out)
    assert entry.sha256 in out.getvalue()
    call_command("audit", "verify", head=entry.sha256, stdout=out)
