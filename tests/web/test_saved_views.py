"""Lists that people saved under a name."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engines.domain.errors import InvalidInput
from menace_site import saved_views
from menace_site.models import SavedView
from tests.factories import PASSWORD, make_cycle, make_user
from tests.web.conftest import client_of


@pytest.fixture
def ada(db: None) -> User:
    return make_user("viewer", username="ada")


def post(client: Client, name: str = "bad ones", query: str = "state=failed", **more: str) -> str:
    """Save a view through the form and return where it leads."""
    response = client.post("/views/", {"page": "cycles", "name": name, "query": query, **more})
    return str(response["Location"])


def test_a_view_is_kept_and_found_on_the_list(ada: User) -> None:
    client = client_of(ada)
    assert post(client, query="size=100&order=-roi_delta&state=failed&cursor=abc") == (
        "/cycles/?state=failed&order=-roi_delta&size=100"
    )
    text = client.get("/cycles/").content.decode()
    assert 'href="?state=failed&amp;order=-roi_delta&amp;size=100"' in text
    assert "bad ones" in text


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("orphans", "classification=legacy&order=-confidence"),
        ("promotions", "verdict=hold&order=-decided_at"),
    ],
)
def test_views_of_other_lists_are_kept_and_open_theirs_alone(ada: User, page: str, query: str) -> None:
    client = client_of(ada)
    assert post(client, page=page, query=query, usual="1") == f"/{page}/?{query}"
    assert client.get(f"/{page}/")["Location"] == f"/{page}/?{query}"
    assert "bad ones" in client.get(f"/{page}/?{query}").content.decode()
    cycles = client.get("/cycles/")
    assert (cycles.status_code, "bad ones" in cycles.content.decode()) == (200, False)
    refused = client.get(post(client, page=page, query="order=-roi_delta"), follow=True)
    assert "The view was not kept" in refused.content.decode()


def test_the_view_that_is_shown_is_marked(ada: User) -> None:
    client = client_of(ada)
    where = post(client, query="state=failed&order=-id&size=50")
    assert 'title="bad ones" aria-current="true"' in client.get(where).content.decode()
    assert 'title="bad ones" aria-current="true"' not in client.get("/cycles/?order=-id").content.decode()


def test_a_name_that_is_taken_is_given_the_new_list(ada: User) -> None:
    client = client_of(ada)
    post(client)
    post(client, query="state=done")
    (view,) = SavedView.objects.all()
    assert view.query.startswith("state=done")


def test_the_usual_view_opens_the_list(ada: User) -> None:
    client = client_of(ada)
    make_cycle(state="done")
    failed = make_cycle(state="failed")
    post(client, usual="1")
    response = client.get("/cycles/", follow=True)
    assert [row["id"] for row in response.context["rows"]] == [failed.pk]
    assert len(client.get("/cycles/?order=-id").context["rows"]) == 2


def test_the_usual_view_is_there_after_the_next_sign_in(ada: User, client: Client) -> None:
    saved_views.save(ada, page="cycles", name="x", query="state=failed", usual=True)
    client.post("/login/", {"username": "ada", "password": PASSWORD})
    assert client.get("/cycles/")["Location"].startswith("/cycles/?state=failed")


def test_only_one_view_is_the_usual_one(ada: User) -> None:
    client = client_of(ada)
    post(client, "one", usual="1")
    post(client, "two", usual="1")
    assert list(SavedView.objects.filter(usual=True).values_list("name", flat=True)) == ["two"]
    one = SavedView.objects.get(name="one")
    client.post(f"/views/{one.pk}/usual/")
    assert list(SavedView.objects.filter(usual=True).values_list("name", flat=True)) == ["one"]
    client.post(f"/views/{one.pk}/usual/")
    assert not SavedView.objects.filter(usual=True).exists()
    assert client.get("/cycles/").status_code == 200


def test_a_dropped_view_no_longer_opens_the_list(ada: User) -> None:
    client = client_of(ada)
    post(client, usual="1")
    client.post(f"/views/{SavedView.objects.get().pk}/drop/")
    assert not SavedView.objects.exists()
    assert client.get("/cycles/").status_code == 200


@pytest.mark.parametrize(
    ("name", "query"),
    [("", ""), (" ", ""), ("x" * 61, ""), ("a\0b", ""), ("a", "state=nosuch"), ("a", "order=message")],
)
def test_what_can_not_be_kept_is_told(ada: User, name: str, query: str) -> None:
    client = client_of(ada)
    text = client.get(post(client, name, query)).content.decode()
    assert "The view was not kept" in text
    assert not SavedView.objects.exists()


def test_an_unknown_list_is_refused(ada: User) -> None:
    post(client_of(ada), page="secrets")
    assert not SavedView.objects.exists()


def test_there_is_an_end_to_it(ada: User) -> None:
    for number in range(saved_views.MOST):
        saved_views.save(ada, page="cycles", name=f"v{number}", query="", usual=False)
    with pytest.raises(InvalidInput, match="drop one first"):
        saved_views.save(ada, page="cycles", name="more", query="", usual=False)
    saved_views.save(ada, page="cycles", name="v1", query="state=done", usual=False)


def test_a_persons_views_are_theirs_alone(ada: User, signed_in: Callable[..., Client]) -> None:
    view = saved_views.save(ada, page="cycles", name="mine", query="", usual=False)
    other = signed_in("approver")
    assert "mine" not in other.get("/cycles/").content.decode()
    assert other.post(f"/views/{view.pk}/drop/").status_code == 404
    assert other.post(f"/views/{view.pk}/usual/").status_code == 404
    assert SavedView.objects.filter(pk=view.pk).exists()


def test_a_hostile_name_is_text(ada: User) -> None:
    client = client_of(ada)
    post(client, '"><script>')
    assert '<script>"' not in client.get("/cycles/").content.decode()
    assert "&lt;script&gt;" in client.get("/cycles/").content.decode()
