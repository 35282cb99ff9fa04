"""Lists that a person saved under a name: kept, chosen as the usual one, dropped."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, QueryDict

from engines.domain.errors import InvalidInput
from engines.domain.keyset import NEWEST, parse_order
from engines.domain.query import SIZES, usual_key
from engines.filters import LISTS
from menace_site.models import SavedView

MOST = 30
MAX_NAME = 60
MAX_QUERY = 1000
Panel = dict[str, Any]


def plain_query(page: str, text: str) -> str:
    """Return a query of a list as the list itself writes it, without page and rubbish.

    Raises InvalidInput when it asks for something that the list doesn't know, or when there is no such list.
    """
    if page not in LISTS:
        raise InvalidInput("there is no such list", field="page")
    kind, orders = LISTS[page]
    asked = QueryDict(text)
    chosen = kind.parse(asked)
    if chosen.errors:
        name, error = next(iter(chosen.errors.items()))
        raise InvalidInput(f"{name}: {error}", field="query")
    order = str(parse_order(asked.get("order") or str(NEWEST), orders))
    size = asked.get("size", "")
    return chosen.query(order=order, size=size if size.isdecimal() and int(size[:6]) in SIZES else "")


def save(user: User, *, page: str, name: str, query: str, usual: bool) -> SavedView:
    """Keep a view under a name, in place of the one that had it; a person has at most thirty a list.

    Raises InvalidInput for an unknown list, a name that is none, a query that the list refuses, or too many.
    """
    plain = plain_query(page, query[: MAX_QUERY + 1])
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"a name has 1 to {MAX_NAME} printable characters", field="name")
    if len(plain) > MAX_QUERY:
        raise InvalidInput("the filter is too long to keep", field="query")
    with transaction.atomic():
        views = _locked(user, page)
        if name not in views and len(views) >= MOST:
            raise InvalidInput(f"{MOST} views are kept; drop one first", field="name")
        if usual:
            SavedView.objects.filter(user=user, page=page).update(usual=False)
        values = {"query": plain, "usual": usual}
        view, _ = SavedView.objects.update_or_create(user=user, page=page, name=name, defaults=values)
    return view


def _locked(user: User, page: str) -> set[str]:
    """Return the names of the person's views of a list; other writers of theirs wait."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return set(SavedView.objects.filter(user=user, page=page).values_list("name", flat=True))


def choose(view: SavedView, *, usual: bool) -> None:
    """Make a view the one that the list opens with, or no longer."""
    with transaction.atomic():
        SavedView.objects.filter(user=view.user_id, page=view.page).update(usual=False)
        SavedView.objects.filter(pk=view.pk).update(usual=usual)


def of(user: User, page: str, current: str = "") -> list[Panel]:
    """Return a person's views of a list; the one that shows `current` is marked."""
    found = SavedView.objects.filter(user=user, page=page)[:MOST]
    return [
        {
            "id": view.pk,
            "name": view.name,
            "query": view.query,
            "usual": view.usual,
            "shown": view.query == current,
        }
        for view in found
    ]


def remember(request: HttpRequest, user: User) -> None:
    """Put the usual views into the session, where lists find them without a query."""
    usual = dict(SavedView.objects.filter(user=user, usual=True).values_list("page", "query"))
    for page in LISTS:
        request.session[usual_key(page)] = usual.get(page, "")


@receiver(user_logged_in)
def on_login(request: HttpRequest, user: User, **_: Any) -> None:
    """Carry a person's usual views into the new session."""
    remember(request, user)
