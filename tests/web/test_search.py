"""The search box of the list of cycles."""

import pytest
from django.http import QueryDict
from django.test import Client

from tests.factories import make_cycle, make_engine


def landed(client: Client, typed: str, more: str = "") -> QueryDict:
    """Return the parameters of the address that a search leads to."""
    query = QueryDict(more, mutable=True)
    query["q"] = typed
    response = client.get(f"/cycles/?{query.urlencode()}")
    assert response.status_code == 302
    return QueryDict(response["Location"].partition("?")[2])


def test_terms_end_up_in_the_address(viewer: Client) -> None:
    params = landed(viewer, "state:failed roi>=0.5 engine:alpha")
    assert params.dict() == {"state": "failed", "roi_min": "0.5", "engine": "alpha"}


def test_they_find_what_the_filters_find(viewer: Client) -> None:
    alpha = make_engine("alpha")
    hit = make_cycle(alpha, state="failed", roi_delta=0.6)
    make_cycle(alpha, state="failed", roi_delta=0.5)
    make_cycle(alpha, state="done", roi_delta=0.6)
    make_cycle(state="failed", roi_delta=0.6)
    response = viewer.get("/cycles/", {"q": "state:failed roi>0.5 engine:alpha"}, follow=True)
    assert [row["id"] for row in response.context["rows"]] == [hit.pk]
    assert [chip["text"] for chip in response.context["chips"]] == ["ROI delta > 0.5"]


def test_a_term_replaces_the_filter_of_its_name_and_keeps_the_others(viewer: Client) -> None:
    params = landed(viewer, "state:done text", "state=failed&engine=alpha&cursor=x&order=-roi_delta")
    assert params.dict() == {"state": "done", "engine": "alpha", "order": "-roi_delta", "q": "text"}


def test_a_beginning_replaces_the_period(viewer: Client) -> None:
    assert landed(viewer, "since:2026-01-31", "range=7d").dict() == {"since": "2026-01-31"}


def test_plain_text_is_searched_as_before(viewer: Client) -> None:
    cycle = make_cycle(make_engine("alpha"))
    make_cycle(make_engine("beta"))
    response = viewer.get("/cycles/?q=alp")
    assert [row["id"] for row in response.context["rows"]] == [cycle.pk]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("foo:bar", "&#x27;foo&#x27; is no field"),
        ("roi>much", "compared with a number"),
        ("state:faild", "state: known: queued"),
        ("last:9y", "range: known: 15m"),
        ("engine:A/B", "names of engines"),
    ],
)
def test_a_mistake_is_told_beside_the_box_which_keeps_the_text(viewer: Client, typed: str, told: str) -> None:
    make_cycle()
    response = viewer.get("/cycles/", {"q": typed})
    text = response.content.decode()
    assert response.status_code == 200
    assert told in text
    assert 'aria-invalid="true"' in text
    assert response.context["typed"] == typed
    assert len(response.context["rows"]) == 1


def test_a_chip_drops_its_filter_and_nothing_else(viewer: Client) -> None:
    make_cycle()
    response = viewer.get("/cycles/?roi_min=0.5&state=done&since=2026-01-01")
    queries = {chip["name"]: QueryDict(chip["query"]) for chip in response.context["chips"]}
    assert set(queries) == {"roi_min", "since"}
    assert "roi_min" not in queries["roi_min"]
    assert {"state", "since"} <= set(queries["roi_min"])
