"""Filters of cycles by URL parameters."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from engines.filters import CycleFilter
from engines.models import Cycle
from tests.factories import make_cycle, make_engine

pytestmark = pytest.mark.django_db


def kept(query: str) -> list[int]:
    wanted = CycleFilter.parse(QueryDict(query))
    assert not wanted.errors
    return sorted(wanted.apply(Cycle.objects.all()).values_list("pk", flat=True))


@pytest.fixture
def ids() -> dict[str, int]:
    alpha, beta = make_engine("alpha"), make_engine("beta")
    old = timezone.now() - timedelta(days=3)
    return {
        "win": make_cycle(alpha, roi_delta=2.0, trigger="manual").pk,
        "loss": make_cycle(alpha, "failed", roi_delta=-1.0, trigger="api", message="step retrain failed").pk,
        "old": make_cycle(beta, created_at=old, trigger="schedule").pk,
        "open": make_cycle(beta, "queued", trigger="schedule").pk,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "win loss old open"),
        ("state=done", "win old"),
        ("state=done,failed", "win loss old"),
        ("state=failed&state=queued", "loss open"),
        ("engine=beta", "old open"),
        ("engine=alpha,beta", "win loss old open"),
        ("engine=nobody", ""),
        ("trigger=schedule", "old open"),
        ("range=24h", "win loss open"),
        ("range=7d", "win loss old open"),
        ("roi_min=0", "win"),
        ("roi_max=0", "loss"),
        ("roi_min=-1&roi_max=2", "win loss"),
        ("q=alp", "win loss"),
        ("q=step ret", "loss"),
        ("q=100%25", ""),
        ("engine=alpha&state=failed", "loss"),
        ("state=&engine=&q=%20", "win loss old open"),
    ],
)
def test_each_parameter_keeps_what_it_says(ids: dict[str, int], query: str, names: str) -> None:
    assert kept(query) == sorted(ids[name] for name in names.split())


@pytest.mark.parametrize("sign", ["", "%23"])
def test_an_id_is_found_with_and_without_its_sign(ids: dict[str, int], sign: str) -> None:
    assert kept(f"q={sign}{ids['old']}") == [ids["old"]]


def test_a_day_means_its_first_instant(ids: dict[str, int]) -> None:
    today = timezone.now().date()
    assert ids["old"] not in kept(f"since={today.isoformat()}")
    assert kept(f"until={(today - timedelta(days=1)).isoformat()}") == [ids["old"]]


def test_a_plus_that_was_not_escaped_is_understood() -> None:
    wanted = CycleFilter.parse(QueryDict("since=2026-01-31T12:00:00+02:00"))
    assert wanted.since == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "query",
    [
        "state=exploded",
        "state=done,exploded",
        "trigger=magic",
        "engine=..%2Fetc",
        "engine=" + ",".join(f"e{n}" for n in range(51)),
        "range=forever",
        "since=soon",
        "since=2026-02-30",
        "since=0001-01-01",
        "until=9999-12-31",
        "roi_min=much",
        "roi_min=nan",
        "roi_max=inf",
        "q=" + "x" * 101,
        "q=%00",
        "range=1h&since=2026-01-01",
    ],
)
def test_a_wrong_value_is_named_and_filters_nothing(query: str) -> None:
    wanted = CycleFilter.parse(QueryDict(query))
    name = query.split("=")[0]
    assert list(wanted.errors) == [name]
    assert all(wanted.errors.values())


def test_the_filter_goes_back_into_the_url() -> None:
    query = "state=done%2Cfailed&engine=alpha&since=2026-01-31T00%3A00%3A00%2B00%3A00&roi_min=0.0&q=x"
    wanted = CycleFilter.parse(QueryDict(query))
    assert wanted.query() == query
    assert CycleFilter.parse(QueryDict(wanted.query())) == wanted
    assert wanted.without("q", "engine").query(cursor="abc").endswith("roi_min=0.0&cursor=abc")


def test_a_filter_knows_whether_it_filters() -> None:
    assert not CycleFilter.parse(QueryDict("state=&x=1")).active
    assert CycleFilter.parse(QueryDict("q=a")).active
