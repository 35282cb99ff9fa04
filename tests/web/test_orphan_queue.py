"""The queue of orphan modules: what it shows, filters, orders, exports, and what it costs."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from engines.services import orphan_work
from orphans.models import OrphanModule
from tests.factories import make_engine, make_team
from tests.orphans.rows import make_batch, make_module, make_run
from tests.web.test_queries import statements

pytestmark = pytest.mark.django_db


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def streamed(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def paths(client: Client, query: str = "") -> list[str]:
    return [row["path"] for row in client.get(f"/orphans/{query}").context["rows"]]


class TestWhatItShows:
    """A row tells why, how sure, who imports it, what it is like."""

    def test_a_row_has_all_that_a_decision_needs(self, viewer: Client) -> None:
        make_engine("alpha")
        make_module(
            path="pkg/old.py",
            reason="imported only by pkg/older.py",
            parents=["pkg/older.py"],
            chain=["pkg/oldest.py", "pkg/older.py", "pkg/old.py"],
            twin="pkg/new.py",
            similarity=0.83,
            confidence=0.72,
            side_effects=3.0,
        )
        page = text(viewer, "/orphans/")
        for said in (
            "pkg/old.py",
            "imported only by",
            "pkg/oldest.py → pkg/older.py",
            "pkg/new.py",
            "83%",
            "72%",
            "1 module, newest first",
        ):
            assert said in page

    def test_side_effects_that_were_not_counted_are_no_zero(self, viewer: Client) -> None:
        make_engine("alpha")
        make_module()
        assert 'title="not measured"' in text(viewer, "/orphans/")

    def test_settled_modules_are_no_longer_in_the_queue(self, viewer: Client) -> None:
        make_engine("alpha")
        make_module(path="a.py", state="retired")
        make_module(path="b.py")
        assert paths(viewer) == ["b.py"]
        assert paths(viewer, "?state=retired") == ["a.py"]
        assert sorted(paths(viewer, "?state=all")) == ["a.py", "b.py"]

    def test_a_foreign_engines_modules_are_not_there(self, viewer: Client) -> None:
        make_engine("secret", team=make_team())
        make_module("secret", "hidden.py")
        assert "hidden.py" not in text(viewer, "/orphans/?state=all")

    def test_modules_of_no_engine_are_not_there(self, admin: Client) -> None:
        make_module("command-line", "loose.py")
        assert paths(admin, "?state=all") == []

    def test_unseen_characters_are_shown(self, viewer: Client) -> None:
        make_engine("alpha")
        make_module(path="pkg/gpj\u202eyp.exe.py", reason="a\u200bb\x07")
        page = text(viewer, "/orphans/")
        assert "\u202e" not in page
        assert "\\u202e" in page
        assert "\u200b" not in page
        assert "\x07" not in page


class TestEmpty:
    """An empty queue says what to do next."""

    def test_without_an_engine_it_leads_to_registering_one(self, operator: Client) -> None:
        assert "No engine yet" in text(operator, "/orphans/")

    def test_with_an_engine_it_offers_a_scan(self, operator: Client) -> None:
        make_engine("alpha")
        page = text(operator, "/orphans/")
        assert "No module is in the queue" in page
        assert 'action="/engines/alpha/scan/"' in page

    def test_a_viewer_is_told_why_there_is_no_button(self, viewer: Client) -> None:
        make_engine("alpha")
        page = text(viewer, "/orphans/")
        assert 'action="/engines/alpha/scan/"' not in page
        assert "ask for the role of an operator" in page

    def test_a_filter_that_lets_nothing_through_says_so(self, viewer: Client) -> None:
        make_engine("alpha")
        make_module()
        assert "No module matches" in text(viewer, "/orphans/?q=nowhere")


class TestFilters:
    """Every filter and order stands in the address."""

    @pytest.fixture(autouse=True)
    def _modules(self) -> None:
        make_engine("alpha")
        make_engine("beta")
        make_module("alpha", "a/one.py", confidence=0.5, classification="isolated")
        make_module("alpha", "a/two.py", confidence=0.9, side_effects=7.0)
        make_module("beta", "b/three.py", confidence=0.7, state="passed")

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?engine=beta", ["b/three.py"]),
            ("?classification=isolated", ["a/one.py"]),
            ("?confidence_min=0.7", ["b/three.py", "a/two.py"]),
            ("?confidence_max=0.6", ["a/one.py"]),
            ("?q=TWO", ["a/two.py"]),
            ("?state=passed,found", ["b/three.py", "a/two.py", "a/one.py"]),
            ("?order=path", ["a/one.py", "a/two.py", "b/three.py"]),
            ("?order=-confidence", ["a/two.py", "b/three.py", "a/one.py"]),
            ("?order=side_effects", ["a/two.py", "a/one.py", "b/three.py"]),
        ],
    )
    def test_it_shows_what_the_address_says(self, viewer: Client, query: str, expected: list[str]) -> None:
        assert paths(viewer, query) == expected

    @pytest.mark.parametrize("query", ["state=odd", "confidence_min=2", "classification=x", "order=reason"])
    def test_a_mistake_is_named_and_filters_nothing(self, viewer: Client, query: str) -> None:
        response = viewer.get(f"/orphans/?{query}")
        assert query.split("=")[0] in response.context["errors"]
        assert len(response.context["rows"]) == 3

    def test_pages_by_key_show_every_row_once(self, viewer: Client) -> None:
        OrphanModule.objects.all().delete()
        for number in range(60):
            make_module(path=f"m{number:02}.py")
        seen, address = [], "/orphans/?size=25&order=path"
        while address:
            response = viewer.get(address)
            seen += [row["path"] for row in response.context["rows"]]
            cursor = response.context["page"].next
            address = f"/orphans/?size=25&order=path&cursor={cursor}" if cursor else ""
        assert seen == [f"m{number:02}.py" for number in range(60)]

    def test_a_forged_cursor_leads_to_the_first_page(self, viewer: Client) -> None:
        assert viewer.get("/orphans/?cursor=forged").status_code == 302


class TestExports:
    """All that match, not the page."""

    def test_csv_and_json_hold_every_match_and_no_formula(self, viewer: Client) -> None:
        make_engine("alpha")
        for number in range(70):
            make_module(path=f"m{number}.py", reason="=cmd|'/c calc'!A1", parents=["a.py", "b.py"])
        data = streamed(viewer.get("/orphans/export.csv"))
        rows = list(csv.DictReader(io.StringIO(data)))
        assert len(rows) == 70
        assert rows[0]["reason"].startswith("'=")
        assert rows[0]["parents"] == "a.py b.py"
        found = json.loads(streamed(viewer.get("/orphans/export.json?q=m1")))
        assert len(found) == 11
        assert found[0]["parents"] == ["a.py", "b.py"]


class TestUnderWay:
    """What runs, and what came to nothing, stands on top."""

    def test_self_tests_that_run_show_how_far_they_are(self, viewer: Client) -> None:
        make_engine("alpha")
        batch = make_batch(total=2, state="running")
        make_run(batch, state="passed")
        make_run(batch, state="running")
        assert "1 of 2" in text(viewer, "/orphans/work/")

    def test_work_that_failed_says_why(self, viewer: Client) -> None:
        engine = make_engine("alpha")
        order = {"kind": "scan", "engine_id": engine.pk, "paths": [], "by": {"label": "ada"}}
        orphan_work.failed(order, "no commit yet")
        page = text(viewer, "/orphans/work/?engine=alpha")
        assert "no commit yet" in page
        assert "ada" in page

    def test_moving_rows_come_anew_and_newer_ones_are_counted(self, viewer: Client) -> None:
        make_engine("alpha")
        old = make_module(state="testing", path="slow.py")
        make_module()
        page = text(viewer, f"/orphans/news/?ids={old.pk}&top={old.pk}")
        assert "slow.py" in page
        assert "1 newer module" in page


@pytest.mark.parametrize(
    "address", ["/orphans/?size=200", "/orphans/news/?ids=1,2,3&top=1", "/orphans/work/"]
)
def test_a_thousand_rows_cost_no_more_statements_than_ten(admin: Client, address: str) -> None:
    make_engine("alpha")
    plain = {"subject": "alpha", "classification": "orphan", "found_as": "orphan", "confidence": 0.9}
    rows = [OrphanModule(path=f"m{number}.py", reason="x", **plain) for number in range(1_000)]
    OrphanModule.objects.bulk_create(rows[:10])
    make_batch(state="running", total=3)
    few = len(statements(admin, address))
    OrphanModule.objects.bulk_create(rows[10:])
    for _ in range(2):
        make_batch(state="running", total=3)
    assert len(statements(admin, address)) == few <= 12


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    cache.clear()
