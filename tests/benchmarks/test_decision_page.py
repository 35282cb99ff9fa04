"""The command that measures the decision page: a missed bar is said, and its rows make a page."""

import importlib
from types import ModuleType

import pytest
from django.conf import settings
from django.test import Client

from engines.models import Promotion
from forecasting.models import Forecast, RoiEvent
from tests.factories import make_user


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("decision_page")


@pytest.fixture
def approver_client(db: None) -> Client:
    """An approver's browser."""
    client = Client()
    client.force_login(make_user("approver"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    ("page", "figure", "queries", "missed"),
    [(60.0, 39.0, 12, 0), (60.0, 41.0, 12, 1), (60.0, 41.0, 13, 3)],
)
def test_page_and_figure_share_one_bar(
    command: ModuleType, page: float, figure: float, queries: int, missed: int
) -> None:
    costs = {"decision page": page, "its figure": figure}
    pages = {title: {"cpu_ms": spent, "queries": queries} for title, spent in costs.items()}
    assert len(command.misses(pages)) == missed


def test_its_rows_make_a_page(command: ModuleType, approver_client: Client) -> None:
    pk = command.fill("many", 12)
    assert (RoiEvent.objects.count(), Forecast.objects.count()) == (12, 12)
    assert Promotion.objects.get(pk=pk).evidence["forecast"]["source"] == "cycle:11"
    assert approver_client.get(f"/promotions/{pk}/forecast.json?shown=500").json()["data"]
