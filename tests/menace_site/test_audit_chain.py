"""The audit chain against every way to bend it: any column, any row, any order."""

import hashlib
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from engines.domain.results import Actor
from menace_site import audit
from menace_site.models import AuditEntry

ROWS = 6
few = profile(max_examples=60, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
COLUMNS = {
    "actor": "'eve'",
    "actor_kind": "'system'",
    "user_id_at_time": "99",
    "verb": "'cycle.delete'",
    "target": "'cycle:99'",
    "detail": "'{\"a\": 2}'",
    "at": "at + interval '1 microsecond'",
    "previous": "repeat('0', 64)",
    "sha256": "repeat('f', 64)",
}


@pytest.fixture
def rows(db: None) -> list[AuditEntry]:
    """A chain of some acts."""
    actor = Actor(user_id=7, label="ada", kind="person")
    return [
        audit.record(actor=actor, verb="cycle.cancel", target=f"cycle:{at}", detail={"a": at})
        for at in range(ROWS)
    ]


def owner(*statements: str) -> None:
    """Do what only the table's owner can."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE menace_site_auditentry DISABLE TRIGGER audit_append_only")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("ALTER TABLE menace_site_auditentry ENABLE TRIGGER audit_append_only")


@pytest.mark.parametrize("place", [0, ROWS // 2, ROWS - 1])
@pytest.mark.parametrize("column", COLUMNS)
def test_any_altered_column_of_any_row_is_found(rows: list[AuditEntry], column: str, place: int) -> None:
    row = rows[place]
    owner(f"UPDATE menace_site_auditentry SET {column} = {COLUMNS[column]} WHERE id = {row.pk}")
    assert audit.verify() == row


@pytest.mark.parametrize("place", range(ROWS - 1))
def test_any_row_removed_from_within_is_found_at_the_next(rows: list[AuditEntry], place: int) -> None:
    owner(f"DELETE FROM menace_site_auditentry WHERE id = {rows[place].pk}")
    assert audit.verify() == rows[place + 1]


@pytest.mark.parametrize("kept", range(1, ROWS))
def test_a_tail_of_any_length_is_missed_only_without_a_noted_head(rows: list[AuditEntry], kept: int) -> None:
    owner(f"DELETE FROM menace_site_auditentry WHERE id > {rows[kept - 1].pk}")
    assert audit.verify() is None
    assert audit.verify(head=rows[kept - 1].sha256) is None
    with pytest.raises(LookupError, match="cut off"):
        audit.verify(head=rows[-1].sha256)


def test_two_rows_that_changed_places_are_found(rows: list[AuditEntry]) -> None:
    one, two = rows[2].pk, rows[3].pk
    owner(
        f"UPDATE menace_site_auditentry SET id = -1 WHERE id = {one}",
        f"UPDATE menace_site_auditentry SET id = {one} WHERE id = {two}",
        f"UPDATE menace_site_auditentry SET id = {two} WHERE id = -1",
    )
    broken = audit.verify()
    assert broken is not None
    assert broken.pk == one


def test_a_row_put_in_between_is_found(rows: list[AuditEntry]) -> None:
    """Even one whose own hash is right: the next row doesn't cover it."""
    forged = AuditEntry(
        pk=rows[-1].pk + 1, at=rows[0].at, actor="eve", actor_kind="person", verb="x", target="y",
        detail={}, previous=rows[2].sha256,
    )  # fmt: skip
    forged.sha256 = audit.digest(forged)
    forged.save(force_insert=True)
    assert audit.verify() == forged


def test_a_row_rewritten_with_a_right_hash_is_found_at_the_next(rows: list[AuditEntry]) -> None:
    row = rows[2]
    row.actor = "eve"
    owner(
        f"UPDATE menace_site_auditentry SET actor = 'eve', sha256 = '{audit.digest(row)}' WHERE id = {row.pk}"
    )
    assert audit.verify() == rows[3]


def test_after_forgeries_the_chain_goes_on_from_the_newest_row(rows: list[AuditEntry]) -> None:
    more = audit.record(actor=Actor(), verb="x", target="y")
    assert more.previous == rows[-1].sha256
    assert audit.verify(head=rows[1].sha256) is None


@pytest.mark.parametrize(("column", "most"), [("actor", 150), ("verb", 40), ("target", 150)])
def test_long_words_are_cut_before_they_are_hashed(db: None, column: str, most: int) -> None:
    words = {"actor": "ada", "verb": "v", "target": "t", column: "x" * 999}
    actor = Actor(label=words["actor"], kind="person")
    entry = audit.record(actor=actor, verb=words["verb"], target=words["target"])
    assert getattr(entry, column) == "x" * most
    assert audit.verify() is None


@few
@given(JSON)
def test_a_plain_detail_is_what_json_gives_back(value: Any) -> None:
    kept = audit.plain(value)
    text = json.dumps(kept, allow_nan=False)
    assert audit.plain(json.loads(text)) == kept
    assert "\\u0000" not in text
    text.encode()


@few
@given(st.integers() | st.floats())
def test_numbers_keep_their_value_or_their_words(number: float) -> None:
    kept = audit.plain({"n": number})["n"]
    assert kept == (repr(number) if isinstance(kept, str) else number)


@few
@given(JSON, JSON)
def test_different_details_have_different_hashes(one: Any, two: Any) -> None:
    def hashed(detail: Any) -> str:
        return audit.digest(AuditEntry(at=datetime(2026, 1, 2, tzinfo=UTC), detail={"x": detail}))

    same = json.dumps(audit.plain(one), sort_keys=True) == json.dumps(audit.plain(two), sort_keys=True)
    assert (hashed(one) == hashed(two)) is same


def test_the_hash_is_the_documented_one(rows: list[AuditEntry]) -> None:
    """Somebody else must be able to check the chain without this code."""
    row = AuditEntry.objects.get(pk=rows[1].pk)
    at = row.at.isoformat(timespec="microseconds")
    said = [row.previous, at, "ada", "person", 7, "cycle.cancel", "cycle:1", {"a": 1}]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == row.sha256


def test_many_rows_are_verified_in_chunks_and_in_order(db: None) -> None:
    chance = random.Random(4)
    for at in range(40):
        audit.record(actor=Actor(), verb="x", target=str(at), detail={"n": chance.random()})
    assert audit.verify() is None
    newest = audit.head()
    assert newest is not None
    assert newest[2] == AuditEntry.objects.latest("pk").sha256


def test_an_empty_log_is_whole_and_has_no_head(db: None) -> None:
    assert audit.verify() is None
    assert audit.head() is None
    with pytest.raises(LookupError):
        audit.verify(head="a" * 64)
