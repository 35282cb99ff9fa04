"""The rows of forecasts in the admin: whoever may see everything can read each, and nobody can edit one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forecasting.admin import CAP, CappedPaginator
from forecasting.models import CycleMetrics, Evaluation, MetricPoint, ModuleProgress, RoiRollup, Verdict
from tests.factories import make_day, make_point, make_roi_event, make_user
from tests.forecasting.rows import make_forecast, make_sample
from tests.forecasting.test_predictor_service import broken

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ROWS: dict[str, Callable[[], models.Model]] = {
    "metricpoint": lambda: make_point("alpha"),
    "metricdaily": lambda: make_day("alpha", dt.date(2026, 1, 1)),
    "roievent": lambda: make_roi_event("alpha"),
    "roirollup": lambda: RoiRollup.objects.create(
        subject="alpha", per="day", at=NOW, count=1, total=1.0, low=1.0, high=1.0
    ),
    "cyclemetrics": lambda: CycleMetrics.objects.create(subject="alpha", cycle=1, roi=1.0),
    "verdict": lambda: Verdict.objects.create(subject="alpha"),
    "forecast": lambda: make_forecast("alpha"),
    "evaluation": lambda: Evaluation.objects.create(subject="alpha", source="cycle:1"),
    "synergysample": lambda: make_sample("hostile", 1.0),
    "forecastmodel": broken,
    "moduleprogress": lambda: ModuleProgress.objects.create(subject="alpha", path="pkg/a.py"),
}


@pytest.fixture
def admin(db: None, client: Client) -> Client:
    client.force_login(make_user("admin"))
    return client


def address(row: models.Model, end: str) -> str:
    return f"/admin/forecasting/{row._meta.model_name}/{row.pk}/{end}"


def test_every_model_has_a_row_here() -> None:
    names = {model._meta.model_name for model in apps.get_app_config("forecasting").get_models()}
    assert names == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_shown_by_its_name_and_can_not_be_changed(admin: Client, name: str) -> None:
    row = ROWS[name]()
    page = admin.get(address(row, "change/"))
    assert page.status_code == 200
    assert str(row) in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    before = type(row)._default_manager.values().get()
    for end in ("change/", "delete/"):
        assert admin.post(address(row, end), {"subject": "mine", "post": "yes"}).status_code == 403
    assert type(row)._default_manager.values().get() == before


@pytest.mark.parametrize("search", ["alpha", "ALPHA", "alp", "alpha' OR 1=1 --", "\\", "%"])
def test_a_search_finds_whole_subjects(admin: Client, search: str) -> None:
    make_point("alpha")
    page = admin.get("/admin/forecasting/metricpoint/", {"q": search})
    assert page.status_code == 200
    assert page.context["cl"].queryset.count() == (1 if search == "alpha" else 0)


def test_a_list_costs_the_same_statements_however_long_it_is(admin: Client) -> None:
    asked = []
    for rows in (1, 60):
        MetricPoint.objects.bulk_create(
            MetricPoint(subject="alpha", name="f1", value=0.5, source=f"{rows}:{number}")
            for number in range(rows)
        )
        with CaptureQueriesContext(connection) as context:
            assert admin.get("/admin/forecasting/metricpoint/").status_code == 200
        asked.append(sum("forecasting_metricpoint" in query["sql"] for query in context.captured_queries))
    assert asked == [2, 2], "a count up to the cap, and one page"


@pytest.mark.parametrize(("rows", "counted"), [(0, 0), (7, 7), (CAP + 10, CAP)])
def test_counting_ends_at_the_cap(rows: int, counted: int) -> None:
    pages: Any = CappedPaginator(list(range(rows)), 50)
    assert pages.count == counted


def test_counting_asks_the_database_for_no_more_than_the_cap() -> None:
    make_point("alpha")
    with CaptureQueriesContext(connection) as context:
        assert CappedPaginator(MetricPoint.objects.all(), 50).count == 1
    assert f"LIMIT {CAP}" in context.captured_queries[0]["sql"]


def test_only_superusers_open_modules_again(client: Client) -> None:
    row = ModuleProgress.objects.create(
        subject="alpha", path="a.py", complete=True, completed_at=NOW, completed_by="cycle 3"
    )
    staff = make_user("approver")
    staff.is_staff = True
    staff.save()
    client.force_login(staff)
    chosen = {"action": "reopen_chosen", "_selected_action": [row.pk]}
    assert client.post("/admin/forecasting/moduleprogress/", chosen).status_code in (302, 403)
    row.refresh_from_db()
    assert row.complete
