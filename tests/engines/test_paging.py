"""Keyset pages on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engines.domain.errors import InvalidInput
from engines.domain.keyset import Cursor, Order, encode, parse_order
from engines.models import Cycle, Engine
from engines.models.paging import capped_count, page
from tests.factories import make_cycles, make_engine

pytestmark = pytest.mark.django_db
VALUES = [1.0, None, 2.5, 1.0, None, -3.0, 1.0, 0.0, None, 2.5, 1.0]
ORDERS = [sign + column for column in ("id", "roi_delta", "duration", "created_at") for sign in ("", "-")]
COLUMNS = ("id", "roi_delta", "duration", "created_at", "step")


@pytest.fixture
def cycles() -> None:
    engine = make_engine()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for index, value in enumerate(VALUES):
        times = start + timedelta(hours=index % 3)
        make_cycles(1, engine, roi_delta=value, duration=value and abs(value), created_at=times)


def expected(order: Order) -> list[int]:
    """Return the ids as Python sorts them: rows without a value last, ties by id."""
    rows = list(Cycle.objects.values("id", order.column))
    present = [row for row in rows if row[order.column] is not None]
    absent = [row for row in rows if row[order.column] is None]
    present.sort(key=lambda row: (row[order.column], row["id"]), reverse=order.descending)
    absent.sort(key=lambda row: row["id"], reverse=order.descending)
    return [row["id"] for row in (*present, *absent)]


def walk(order: Order, size: int, queryset: Any = None) -> list[list[int]]:
    """Return the ids page by page, from the first to the last."""
    pages, cursor = [], ""
    while True:
        found = page(
            Cycle.objects.all() if queryset is None else queryset, order=order, cursor=cursor, size=size
        )
        pages.append([row["id"] if isinstance(row, dict) else row.pk for row in found.rows])
        if found.next is None:
            return pages
        cursor = found.next


def flat(pages: list[list[int]]) -> list[int]:
    return [pk for ids in pages for pk in ids]


@pytest.mark.usefixtures("cycles")
@pytest.mark.parametrize("text", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 50])
def test_the_pages_together_are_the_sorted_list(text: str, size: int) -> None:
    order = parse_order(text, COLUMNS)
    assert flat(walk(order, size)) == expected(order)


@pytest.mark.usefixtures("cycles")
@pytest.mark.parametrize("text", ORDERS)
def test_going_back_shows_the_same_pages(text: str) -> None:
    order = parse_order(text, COLUMNS)
    forward = walk(order, 3)
    here = page(Cycle.objects.all(), order=order, size=3)
    while here.next:
        here = page(Cycle.objects.all(), order=order, cursor=here.next, size=3)
    backward = []
    while here.previous:
        here = page(Cycle.objects.all(), order=order, cursor=here.previous, size=3)
        backward.append([row.pk for row in here.rows])
    assert backward[::-1] == forward[:-1]


@pytest.mark.usefixtures("cycles")
def test_rows_may_be_plain_mappings() -> None:
    order = Order("roi_delta", True)
    assert flat(walk(order, 4, Cycle.objects.values("id", "roi_delta"))) == expected(order)


@pytest.mark.usefixtures("cycles")
def test_new_rows_do_not_shift_the_next_page() -> None:
    order = Order("id", True)
    first = page(Cycle.objects.all(), order=order, size=3)
    make_cycles(5)
    assert first.next is not None
    second = page(Cycle.objects.all(), order=order, cursor=first.next, size=3)
    assert [row.pk for row in second.rows] == [first.rows[-1].pk - step for step in (1, 2, 3)]


def test_names_are_paged_like_numbers() -> None:
    for name in ("b", "a-1", "a", "c"):
        make_engine(name)
    names, cursor = [], ""
    for _ in range(4):
        found = page(Engine.objects.all(), order=Order("name", False), cursor=cursor, size=1)
        names += [row.name for row in found.rows]
        cursor = found.next or ""
    assert names == list(Engine.objects.order_by("name").values_list("name", flat=True))


def test_an_empty_list_is_one_empty_page() -> None:
    found = page(Cycle.objects.all(), order=Order("roi_delta", False))
    assert (found.rows, found.next, found.previous) == ([], None, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("created_at", None),
        ("created_at", 7),
        ("created_at", "yesterday"),
        ("created_at", "2026-01-01T00:00:00"),
        ("roi_delta", "much"),
    ],
)
def test_a_cursor_with_a_value_of_another_type_is_refused(column: str, value: Any) -> None:
    order = Order(column, False)
    with pytest.raises(InvalidInput):
        page(Cycle.objects.all(), order=order, cursor=encode(Cursor(order, value, 1)))


@pytest.mark.usefixtures("cycles")
@pytest.mark.parametrize("text", ORDERS)
def test_a_page_takes_few_queries_and_neither_counts_nor_skips(text: str) -> None:
    order = parse_order(text, COLUMNS)
    first = page(Cycle.objects.all(), order=order, size=2)
    with CaptureQueriesContext(connection) as queries:
        page(Cycle.objects.all(), order=order, cursor=first.next or "", size=50)
    assert len(queries) <= 2
    assert not [query for query in queries if "COUNT" in query["sql"] or "OFFSET" in query["sql"]]


@pytest.mark.parametrize("text", ORDERS)
def test_a_deep_page_reads_as_little_as_the_first(text: str) -> None:
    make_cycles(3000, roi_delta=0.0, duration=1.0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE engines_cycle")
    order = parse_order(text, COLUMNS)
    middle = Cycle.objects.order_by("id")[1500]
    value = getattr(middle, order.column)
    key = value.isoformat() if isinstance(value, datetime) else value
    with CaptureQueriesContext(connection) as queries:
        page(Cycle.objects.all(), order=order, cursor=encode(Cursor(order, key, middle.pk)), size=10)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queries[0]['sql']}")
        plan = cursor.fetchone()[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 60


def test_counting_stops_at_the_cap() -> None:
    make_cycles(12)
    assert str(capped_count(Cycle.objects.all(), cap=20)) == "12"
    assert capped_count(Cycle.objects.all(), cap=12) == (12, False)
    assert str(capped_count(Cycle.objects.all(), cap=5)) == "5+"
