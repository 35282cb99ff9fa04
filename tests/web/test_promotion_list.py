"""The list of promotions: what it shows, filters, orders and exports, and what it costs."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engines.models import Promotion
from tests.factories import make_engine, make_team
from tests.web.promotion_rows import make_promotion
from tests.web.test_queries import MOST, statements

pytestmark = pytest.mark.django_db


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def shown(client: Client, query: str = "") -> list[int]:
    return [row["id"] for row in client.get(f"/promotions/{query}").context["rows"]]


def alarmed(**fields: Any) -> Promotion:
    now = timezone.now()
    return make_promotion(
        state="applied", applied_at=now, alarm={"text": "left the band"}, alarm_at=now, **fields
    )


class TestWhatItShows:
    """What still needs somebody, with the strongest thing against it."""

    def test_a_row_says_what_stands_against_it(self, viewer: Client) -> None:
        make_promotion(evidence={"gain": {"significant": False, "roi_gain": 0.1}})
        page = text(viewer, "/promotions/")
        assert "not significantly better" in page
        assert ">block<" in page

    def test_decided_ones_are_left_out_unless_asked_for(self, viewer: Client) -> None:
        waiting = make_promotion()
        rejected = make_promotion(waiting.engine, state="rejected")
        assert shown(viewer) == [waiting.pk]
        assert shown(viewer, "?state=rejected") == [rejected.pk]
        assert shown(viewer, "?state=all") == [rejected.pk, waiting.pk]

    def test_a_proposed_roll_back_is_marked_and_can_be_filtered(self, viewer: Client) -> None:
        found = alarmed()
        make_promotion(found.engine, state="applied")
        assert shown(viewer, "?alarm=1") == [found.pk]
        assert "roll-back proposed" in text(viewer, "/promotions/?state=applied")

    def test_a_foreign_engines_promotions_are_not_there(self, viewer: Client) -> None:
        make_promotion(make_engine("secret", team=make_team()))
        assert shown(viewer, "?state=all") == []

    @pytest.mark.parametrize(
        ("query", "said"),
        [("?state=failed", "No promotion matches"), ("", "Nothing waits for a decision")],
    )
    def test_an_empty_list_says_why_and_what_to_do(self, viewer: Client, query: str, said: str) -> None:
        make_engine("alpha")
        assert said in text(viewer, f"/promotions/{query}")

    def test_without_engines_it_leads_to_them(self, viewer: Client) -> None:
        assert "No engine yet" in text(viewer, "/promotions/")

    def test_the_bar_counts_what_waits_for_a_person(self, viewer: Client) -> None:
        make_promotion()
        assert '1<span class="visually-hidden"> wait for a person' in text(viewer, "/system/")


class TestFilters:
    """Everything is in the address; what is wrong there is told and filters nothing."""

    def test_kind_engine_and_verdict_narrow(self, viewer: Client) -> None:
        model = make_promotion()
        workflow = make_promotion(make_engine("beta"), kind="workflow", evidence={"forecast": None})
        assert shown(viewer, "?kind=workflow") == [workflow.pk]
        assert shown(viewer, "?engine=alpha") == [model.pk]
        assert shown(viewer, f"?verdict={workflow.verdict}") == [workflow.pk]

    def test_a_wrong_word_is_told(self, viewer: Client) -> None:
        one = make_promotion()
        response = viewer.get("/promotions/?verdict=maybe&order=reason")
        assert set(response.context["errors"]) == {"verdict", "order"}
        assert [row["id"] for row in response.context["rows"]] == [one.pk]

    def test_pages_go_by_key(self, viewer: Client) -> None:
        engine = make_engine("alpha")
        made = [make_promotion(engine).pk for _ in range(3)]
        Promotion.objects.update(decided_at=timezone.now())
        first = viewer.get("/promotions/?size=25&order=-decided_at")
        assert [row["id"] for row in first.context["rows"]] == made[::-1]
        assert viewer.get("/promotions/?cursor=nonsense").status_code == 302


class TestExport:
    """All that match, streamed, harmless in a spreadsheet."""

    def test_csv_and_json_have_the_same_rows(self, viewer: Client) -> None:
        make_promotion(reason="=1+1", state="rejected", decided_label="grace")
        read = {}
        for kind in ("csv", "json"):
            response: Any = viewer.get(f"/promotions/export.{kind}?state=all")
            read[kind] = b"".join(response.streaming_content).decode()
        (row,) = csv.DictReader(io.StringIO(read["csv"]))
        (same,) = json.loads(read["json"])
        assert row["reason"] == "'=1+1"
        assert same["evidence_sha256"] == row["evidence_sha256"]
        assert same["engine"] == "alpha"


def test_more_rows_cost_no_more_statements(approver: Client) -> None:
    engine = make_engine("alpha")
    make_promotion(engine)
    few = statements(approver, "/promotions/?state=all")
    for _ in range(9):
        make_promotion(engine)
    many = statements(approver, "/promotions/?state=all")
    assert len(many) == len(few) <= MOST
    assert not any('"evidence",' in sql for sql in many if "engines_promotion" in sql)
