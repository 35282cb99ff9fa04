"""Saved views as the service keeps them: thirty a list, one usual, nothing that the list doesn't know."""

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from menace_site import saved_views
from menace_site.models import SavedView
from menace_site.saved_views import MAX_NAME, MAX_QUERY, MOST
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return make_user("viewer")


def keep(user: User, name: str = "mine", query: str = "state=failed", *, usual: bool = False) -> SavedView:
    return saved_views.save(user, page="cycles", name=name, query=query, usual=usual)


@pytest.mark.parametrize(
    "name", ["", "   ", "\t\n", "x" * (MAX_NAME + 1), "a\0b", "a\x1b[31mb", "a\u202eb", "\u200b"]
)
def test_a_name_that_is_none_is_refused(ada: User, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keep(ada, name)
    assert caught.value.field == "name"
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"), [("x" * MAX_NAME, "x" * MAX_NAME), ("  a   b ", "a b"), ("ü 漢 🦊", "ü 漢 🦊")]
)
def test_a_name_is_kept_with_single_spaces(ada: User, name: str, kept: str) -> None:
    assert keep(ada, name).name == kept


@pytest.mark.parametrize("page", ["", "engines", "../cycles", "cycles ", "CYCLES"])
def test_an_unknown_list_is_refused(ada: User, page: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        saved_views.save(ada, page=page, name="x", query="", usual=False)
    assert caught.value.field == "page"


@pytest.mark.parametrize(
    "query", ["state=haunted", "order=secret", "order=-password", "cursor=", "x=1&state=%00"]
)
def test_a_kept_query_asks_only_for_what_the_list_knows(ada: User, query: str) -> None:
    try:
        kept = keep(ada, query=query).query
    except InvalidInput:
        assert not SavedView.objects.exists()
        return
    assert "haunted" not in kept
    assert "cursor" not in kept
    assert "x=1" not in kept


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=st.text(alphabet="state=failddone&order-id_zq0123456789%+ ", max_size=60))
def test_making_a_query_plain_twice_changes_nothing_more(query: str) -> None:
    try:
        plain = saved_views.plain_query("cycles", query)
    except InvalidInput:
        return
    assert saved_views.plain_query("cycles", plain) == plain
    assert len(plain) <= MAX_QUERY


def test_thirty_views_are_kept_and_the_next_is_refused(ada: User) -> None:
    for number in range(MOST):
        keep(ada, f"view {number}")
    with pytest.raises(InvalidInput, match="drop one first"):
        keep(ada, "one more")
    assert keep(ada, "view 3", "state=done").query.startswith("state=done")
    assert SavedView.objects.count() == MOST
    keep(make_user("viewer"), "somebody else's")


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=8))
def test_at_most_one_view_is_the_usual_one(story: list[tuple[str, bool]]) -> None:
    user, usual = make_user("viewer"), ""
    for name, wanted in story:
        keep(user, name, usual=wanted)
        usual = name if wanted else ("" if usual == name else usual)
        found = SavedView.objects.filter(user=user, usual=True).values_list("name", flat=True)
        assert list(found) == ([usual] if usual else [])


def test_choosing_one_ends_the_other(ada: User) -> None:
    one, two = keep(ada, "one", usual=True), keep(ada, "two")
    saved_views.choose(two, usual=True)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.usual, two.usual) == (False, True)
    saved_views.choose(two, usual=False)
    assert not SavedView.objects.filter(usual=True).exists()


def test_the_list_marks_what_is_shown_and_nobody_elses(ada: User) -> None:
    view = keep(ada, "one")
    keep(make_user("viewer"), "foreign")
    (row,) = saved_views.of(ada, "cycles", view.query)
    assert (row["name"], row["shown"], row["usual"]) == ("one", True, False)
    assert saved_views.of(ada, "cycles", "other")[0]["shown"] is False
    assert saved_views.of(ada, "engines") == []
