"""Every page asks the database at most twelve times, for any number of rows, and never counts or skips."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engines.models import Engine
from forecasting.models import MetricDaily
from tests.factories import (
    make_cycle,
    make_cycles,
    make_day,
    make_engine,
    make_entry,
    make_point,
    make_roi_event,
    make_step,
    make_steps,
    make_version,
)
from tests.web.conftest import forget_health

MOST = 12
PAGES = (
    "/",
    "/cycles/?size=100",
    "/cycles/?size=100&state=done&engine=bot-0&order=-roi_delta",
    "/cycles/news/?ids={cycle}&top=1",
    "/cycles/{cycle}/",
    "/cycles/{cycle}/live/",
    "/cycles/{cycle}/audit/",
    "/cycles/{cycle}/logs/?q=a",
    "/cycles/compare/?ids={cycle},1,2",
    "/engines/bot-0/",
    "/engines/bot-0/edit/",
    "/engines/bot-0/audit/",
    "/engines/bot-0/charts/roi.json",
    "/engines/bot-0/charts/metric.json?metric=accuracy",
    "/engines/bot-0/charts/roi/",
    "/engines/new/",
    "/system/",
    "/audit/",
    "/account/",
)


def fill(rows: int) -> int:
    """Make `rows` of everything and return the id of a cycle of the first engine."""
    today = timezone.now().date()
    for number in range(rows // 10):
        engine = make_engine(f"bot-{number}")
        make_cycles(10, engine)
        make_cycle(engine, state="running")
        make_version(engine)
    first = Engine.objects.get(name="bot-0")
    for number in range(rows):
        make_roi_event(first.name)
        make_point(first.name)
        make_day(first.name, today - dt.timedelta(days=number))
        make_entry(target="engine:bot-0")
    cycle = make_cycle(first)
    make_steps(cycle)
    return cycle.pk


def statements(client: Client, address: str) -> list[str]:
    client.get(address)  # what a session remembers is written now
    forget_health()
    cache.clear()
    with CaptureQueriesContext(connection) as context:
        response = client.get(address)
    assert response.status_code == 200, address
    return [query["sql"] for query in context.captured_queries]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_needs_few_statements_and_no_more_for_more_rows(approver: Client, address: str) -> None:
    few = statements(approver, address.format(cycle=fill(10)))
    Engine.objects.all().delete()
    MetricDaily.objects.all().delete()
    many = statements(approver, address.format(cycle=fill(100)))
    assert len(many) == len(few)
    assert len(many) <= MOST


@pytest.mark.parametrize("address", PAGES)
def test_no_page_skips_rows_or_counts_without_a_limit(approver: Client, address: str) -> None:
    for sql in statements(approver, address.format(cycle=fill(20))):
        assert " OFFSET " not in sql
        if "COUNT(" in sql.upper() and "engines_cycle" in sql:
            assert " LIMIT " in sql or " GROUP BY " in sql


def test_a_page_of_steps_reads_them_at_once(approver: Client) -> None:
    one = make_cycle()
    make_step(one)
    ten = make_cycle()
    make_steps(ten)
    assert len(statements(approver, f"/cycles/{one.pk}/")) == len(statements(approver, f"/cycles/{ten.pk}/"))
