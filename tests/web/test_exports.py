"""Exports: all matching rows, streamed, harmless to spreadsheets."""

import csv
import datetime as dt
import gc
import io
import json
import tracemalloc

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from engines.views.exports import CHUNK, harmless
from forecasting.models import MetricPoint
from menace_site import made
from tests.factories import make_cycle, make_cycles, make_engine, make_point, make_team


def body(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response.streaming_content).decode()


def test_csv_holds_every_matching_row_beyond_one_block(viewer: Client) -> None:
    make_cycles(CHUNK + 50)
    make_cycle(state="failed")
    rows = list(csv.DictReader(io.StringIO(body(viewer, "/cycles/export.csv?state=done"))))
    assert len(rows) == CHUNK + 50
    assert {row["state"] for row in rows} == {"done"}


def test_json_is_one_list_with_gaps_as_null(viewer: Client) -> None:
    cycle = make_cycle(roi_delta=None, cost=0.25)
    (row,) = json.loads(body(viewer, "/cycles/export.json"))
    assert row["id"] == cycle.pk
    assert row["roi_delta"] is None
    assert row["cost"] == 0.25
    assert row["created_at"].endswith("+00:00")


def test_an_empty_export_is_still_valid(viewer: Client) -> None:
    assert json.loads(body(viewer, "/cycles/export.json")) == []
    assert len(body(viewer, "/cycles/export.csv").splitlines()) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_no_cell_is_a_formula(viewer: Client, text: str) -> None:
    make_cycle(message=text, requested_label=text)
    (row,) = csv.DictReader(io.StringIO(body(viewer, "/cycles/export.csv"), newline=""))
    assert row["message"].startswith("'")
    assert row["requested_by"].startswith("'")


def test_numbers_stay_numbers() -> None:
    assert harmless(-0.5) == -0.5
    assert harmless(None) is None


def test_the_filter_is_in_the_file_name(viewer: Client) -> None:
    response = viewer.get("/cycles/export.csv?state=failed&range=24h")
    assert response["Content-Disposition"] == 'attachment; filename="cycles-state-failed-range-24h.csv"'


def test_a_file_name_cannot_be_forged(viewer: Client) -> None:
    response = viewer.get("/cycles/export.csv", {"q": 'x"; filename="evil.exe'})
    assert response["Content-Disposition"].count('"') == 2
    assert "\n" not in response["Content-Disposition"]


def test_foreign_rows_are_not_exported(viewer: Client) -> None:
    make_cycle(make_engine(team=make_team()))
    assert json.loads(body(viewer, "/cycles/export.json")) == []


def test_it_reads_in_blocks(viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    make_cycles(2 * CHUNK + 1)
    with django_assert_max_num_queries(8):
        body(viewer, "/cycles/export.csv")


def test_an_unknown_kind_is_no_page(viewer: Client) -> None:
    assert viewer.get("/cycles/export.xlsx").status_code == 404


def test_metrics_of_an_engine_come_as_csv(viewer: Client) -> None:
    engine = make_engine("alpha")
    make_point("alpha", "accuracy", 0.5)
    make_point("alpha", "f1", 0.7)
    make_point("beta", "accuracy", 0.9)
    text = body(viewer, f"/engines/{engine.name}/metrics.csv?metric=accuracy")
    assert [row["value"] for row in csv.DictReader(io.StringIO(text))] == ["0.5"]


def test_metrics_come_by_name_and_time_beyond_one_block(viewer: Client) -> None:
    """Equal times and names at the seam of two blocks are told apart by their id."""
    make_engine("alpha")
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    MetricPoint.objects.bulk_create(
        MetricPoint(
            subject="alpha", name=name, value=n, at=at + dt.timedelta(hours=n // 700), source=f"c:{n}"
        )
        for n in range(CHUNK + 200)
        for name in ("f1", "accuracy")
    )
    make_point("beta")
    rows = list(csv.DictReader(io.StringIO(body(viewer, "/engines/alpha/metrics.csv"))))
    assert [row["name"] for row in rows] == ["accuracy"] * (CHUNK + 200) + ["f1"] * (CHUNK + 200)
    assert len({(row["name"], row["source"]) for row in rows}) == 2 * (CHUNK + 200)
    assert [row["at"] for row in rows[:CHUNK]] == sorted(row["at"] for row in rows[:CHUNK])


def test_each_block_of_metrics_is_read_off_the_index(viewer: Client) -> None:
    make_engine("alpha")
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    MetricPoint.objects.bulk_create(
        MetricPoint(subject="alpha", name="f1", value=n, at=at + dt.timedelta(minutes=n), source=f"c:{n}")
        for n in range(5 * CHUNK)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE forecasting_metricpoint")
    with CaptureQueriesContext(connection) as context:
        body(viewer, "/engines/alpha/metrics.csv?metric=f1")
    asked = [query["sql"] for query in context if "metricpoint" in query["sql"]]
    blocks = [sql for sql in asked if f"LIMIT {CHUNK}" in sql]
    assert (len(blocks), len(asked)) == (6, 8)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + blocks[2])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "point_subject_name_at" in plan
    assert "DECLARE" not in "".join(asked)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_memory_stays_flat_however_many_rows_match(viewer: Client, kind: str) -> None:
    def peak(rows: int) -> int:
        with connection.cursor() as cursor:
            made.make(cursor, cycles=rows, engines=3, days=30, seed=rows)
        response = viewer.get(f"/cycles/export.{kind}")
        assert isinstance(response, StreamingHttpResponse)
        gc.collect()
        tracemalloc.start()
        try:
            read = sum(1 for _ in response.streaming_content)
            assert read > rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(3_000)
    assert peak(4_000) < 1.2 * few
