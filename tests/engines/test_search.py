"""Search of messages: what a typed text finds, and that PostgreSQL reads an index for it."""

import json
from typing import Any

import pytest
from django.db import connection

from engines.filters import CycleFilter
from engines.models import Cycle, CycleQuerySet
from engines.models.paging import capped_count
from engines.models.search import has_words
from engines.panels.cycles import state_pills
from menace_site import made
from tests.factories import make_cycle, make_engine

pytestmark = pytest.mark.django_db

TEXT = "retrain: the pipeline's process ended with Exit-Code 137 in /srv/bots/alpha.py (naïve Größe, 50%)"


def finds(typed: str, text: str = TEXT) -> bool:
    make_cycle(message=text)
    return Cycle.objects.filter(has_words("message", typed)).exists()


@pytest.mark.parametrize(
    "typed",
    [
        "retrain",
        "RETR",
        "code exit",
        "exit-code 137",
        "exit  co 13",
        "alpha.py",
        "bots/alpha",
        "pipeline's",
        "naïve",
        "größ",
        "50%",
        "(srv)",
        TEXT,
    ],
)
def test_each_typed_word_begins_a_word(typed: str) -> None:
    assert finds(typed)


@pytest.mark.parametrize(
    "typed", ["etrain", "exit 138", "retrain missing", "beta.py", "%", "...", "'", "xit"]
)
def test_a_word_that_begins_none_finds_nothing(typed: str) -> None:
    assert not finds(typed)


HOSTILE = [
    "'); DROP TABLE x; --",
    "a'b",
    "\\",
    "a\\",
    ":*",
    "a:*b",
    "!a",
    "(",
    "a & | b",
    "'' :A",
    "<->",
    "é" * 90,
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_no_sign_is_an_operator(typed: str) -> None:
    finds(typed)  # no error is what counts
    assert finds(typed.strip() + " x1", f"before {typed} x1 after")


def test_a_cycle_without_a_message_is_never_found() -> None:
    assert not finds("a", "")


@pytest.fixture
def many() -> None:
    """20,000 made cycles of ten engines, and one with a message of its own."""
    with connection.cursor() as cursor:
        made.make(cursor, cycles=20_000, engines=10, days=180, seed=1)
        make_cycle(make_engine("rare"), message="zebra crossing")
        cursor.execute("ANALYZE engines_cycle, engines_engine")


def rows_read(queryset: Any) -> float:
    """Return how many rows of the cycles' table a statement touches."""
    plan = json.loads(queryset.explain(format="json", analyze=True))[0]["Plan"]
    found: float = max(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in _nodes(plan)
        if node.get("Relation Name") == "engines_cycle"
    )
    return found


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def search(typed: str) -> CycleQuerySet:
    return CycleFilter(q=typed).apply(Cycle.objects.all())


def test_what_is_rare_or_absent_is_looked_up(many: None) -> None:
    for typed, found in (("nothing like this", 0), ("zeb cross", 1), ("rare", 1), ("bench-003 nowhere", 0)):
        page = search(typed).order_by("-id")[:51]
        assert len(page) == found, typed
        assert rows_read(page) <= 51, typed


def test_what_is_common_fills_a_page_without_reading_all(many: None) -> None:
    for typed in ("retrain", "bench-00", "no reason", "cancelled"):
        page = search(typed).order_by("-id")[:51]
        assert len(page) == 51, typed
        assert rows_read(page) <= 3_000, typed


def test_counts_of_a_search_agree(many: None) -> None:
    pills = {pill["state"]: pill["number"] for pill in state_pills(search("exit code"))}
    assert pills["failed"] == capped_count(search("exit code"), 1_001).number
    assert sum(pills.values()) == pills["failed"]
