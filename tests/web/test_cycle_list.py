"""The list of cycles."""

import pytest
from django.test import Client

from tests.factories import make_cycle, make_cycles, make_engine, make_team, make_user
from tests.web.conftest import client_of


def test_it_shows_the_newest_first(viewer: Client) -> None:
    first, second = make_cycle(), make_cycle()
    text = viewer.get("/cycles/").content.decode()
    assert text.index(f"#{second.pk}<") < text.index(f"#{first.pk}<")


def test_it_filters_by_state_from_the_url(viewer: Client) -> None:
    done, failed = make_cycle(state="done"), make_cycle(state="failed")
    rows = viewer.get("/cycles/?state=failed").context["rows"]
    assert [row["id"] for row in rows] == [failed.pk]
    assert done.pk != failed.pk


def test_its_pills_count_each_state_under_the_other_filters(viewer: Client) -> None:
    alpha, beta = make_engine("alpha"), make_engine("beta")
    make_cycles(3, alpha)
    make_cycle(beta, state="failed")
    pills = {pill["state"]: pill["count"] for pill in viewer.get("/cycles/?engine=alpha").context["pills"]}
    assert pills["done"] == "3"
    assert pills["failed"] == "0"


def test_a_pill_counts_no_further_than_its_cap(viewer: Client) -> None:
    make_cycles(1_001)
    response = viewer.get("/cycles/")
    pills = {pill["state"]: pill["count"] for pill in response.context["pills"]}
    assert pills["done"] == "1,000+"
    assert response.context["matching"] == "1,000+"


def test_it_pages_by_key_without_losing_or_repeating_a_row(viewer: Client) -> None:
    made = {cycle.pk for cycle in make_cycles(60)}
    first = viewer.get("/cycles/?size=25")
    second = viewer.get("/cycles/", {"size": 25, "cursor": first.context["page"].next})
    third = viewer.get("/cycles/", {"size": 25, "cursor": second.context["page"].next})
    seen = [row["id"] for response in (first, second, third) for row in response.context["rows"]]
    assert len(seen) == 60
    assert set(seen) == made
    assert third.context["page"].next is None


def test_a_cursor_that_is_none_leads_back_to_the_start(viewer: Client) -> None:
    response = viewer.get("/cycles/?state=done&cursor=rubbish")
    assert response.status_code == 302
    assert "cursor" not in response["Location"]
    assert "state=done" in response["Location"]


def test_it_sorts_by_roi_with_gaps_last(viewer: Client) -> None:
    engine = make_engine()
    low, high = make_cycle(engine, roi_delta=-1.0), make_cycle(engine, roi_delta=2.0)
    gap = make_cycle(engine, roi_delta=None)
    rows = viewer.get("/cycles/?order=-roi_delta").context["rows"]
    assert [row["id"] for row in rows] == [high.pk, low.pk, gap.pk]


@pytest.mark.parametrize(
    "query",
    ["state=nonsense", "range=9y", "roi_min=abc", "order=message", "q=%00", "since=x", "engine=A%20B"],
)
def test_a_filter_it_does_not_know_is_told_and_filters_nothing(viewer: Client, query: str) -> None:
    make_cycle()
    response = viewer.get(f"/cycles/?{query}")
    assert response.status_code == 200
    assert response.context["errors"]
    assert len(response.context["rows"]) == 1


@pytest.mark.parametrize("query", ["engine=nosuch", "q=999999999999", "q=nosuch", "roi_min=5&roi_max=1"])
def test_a_filter_that_nothing_matches_shows_an_empty_list(viewer: Client, query: str) -> None:
    make_cycle()
    response = viewer.get(f"/cycles/?{query}")
    assert response.context["rows"] == []
    assert response.context["matching"] == "0"


def test_it_remembers_the_page_size(viewer: Client) -> None:
    make_cycles(30)
    viewer.get("/cycles/?size=25")
    assert len(viewer.get("/cycles/").context["rows"]) == 25


def test_a_number_that_was_not_measured_is_a_gap(viewer: Client) -> None:
    make_cycle(roi_delta=None, cost=None)
    text = viewer.get("/cycles/").content.decode()
    assert text.count('title="not measured"') == 2


def test_foreign_cycles_do_not_show(signed_in: object) -> None:
    team = make_team()
    mine, foreign = make_cycle(make_engine(team=team)), make_cycle(make_engine(team=make_team()))
    member = client_of(make_user("viewer", teams=(team,)))
    ids = [row["id"] for row in member.get("/cycles/").context["rows"]]
    assert mine.pk in ids
    assert foreign.pk not in ids


def test_a_person_without_a_role_gets_403(signed_in: object) -> None:
    response = client_of(make_user("none")).get("/cycles/")
    assert response.status_code == 403


def test_an_anonymous_visitor_is_sent_to_the_sign_in(client: Client, db: None) -> None:
    response = client.get("/cycles/")
    assert response["Location"] == "/login/?next=/cycles/"


def test_the_empty_list_says_what_to_do(viewer: Client) -> None:
    assert "No cycle yet" in viewer.get("/cycles/").content.decode()
    make_cycle()
    assert "Clear all filters" in viewer.get("/cycles/?q=zzz").content.decode()


def test_posting_to_it_is_refused(operator: Client) -> None:
    assert operator.post("/cycles/").status_code == 405


class TestNews:
    """What the page asks for every few seconds."""

    def test_it_returns_the_open_rows_as_they_are_now(self, viewer: Client) -> None:
        cycle = make_cycle(state="running", step="retrain", steps_done=2)
        text = viewer.get(f"/cycles/news/?ids={cycle.pk}&top={cycle.pk}").content.decode()
        assert f'id="c{cycle.pk}" hx-swap-oob="true"' in text
        assert "retrain" in text

    def test_it_counts_the_newer_ones_that_match(self, viewer: Client) -> None:
        top = make_cycle()
        make_cycles(3)
        make_cycle(state="failed")
        text = viewer.get(f"/cycles/news/?ids=&top={top.pk}&state=done").content.decode()
        assert "3 newer cycles" in text

    @pytest.mark.parametrize("query", ["", "ids=a,b&top=x", "ids=-1&top=9" + "9" * 30, "ids=1%00"])
    def test_rubbish_is_ignored(self, viewer: Client, query: str) -> None:
        assert viewer.get(f"/cycles/news/?{query}").status_code == 200
