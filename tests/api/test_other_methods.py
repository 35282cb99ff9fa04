"""Methods that the permission matrix has no rows for follow from those it has."""

import pytest
from django.core.cache import cache

from tests.api import matrix

READERS = ("anonymous", "none", "viewer")
REDIRECTING = ("admin/", "login/")
"""Django's own: whatever the method, they send those who are signed in to a page, or show one."""


@pytest.fixture
def people(db: None) -> dict[str, matrix.Subject]:
    cache.clear()
    return {person.name: person for person in matrix.subjects()}


def test_head_is_answered_as_get_is(people: dict[str, matrix.Subject]) -> None:
    own, _ = matrix.own_and_foreign()
    wrong = []
    for (route, method), (expected, _) in matrix.table().items():
        if method == "GET":
            letters = dict(zip(matrix.who(route), expected, strict=True))
            for name in set(READERS) & set(letters):
                address = matrix.address(route, own, people[name], own=True)
                found = matrix.ask(people[name], "HEAD", address)
                if found != letters[name]:
                    wrong.append(f"HEAD {route} as {name}: {found}, GET has {letters[name]}")
    assert wrong == []


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND"])
def test_a_method_that_nothing_knows_does_nothing(people: dict[str, matrix.Subject], method: str) -> None:
    own, _ = matrix.own_and_foreign()
    wrong = []
    for route in (each for each in matrix.routes() if not each.startswith(REDIRECTING)):
        for name in ("anonymous", "viewer", "admin", "operate-token"):
            path = matrix.address(route, own, people[name], own=True)
            found = matrix.ask(people[name], method, path)
            allowed = "+LFNM" if method == "OPTIONS" and name != "anonymous" else "LFNM"
            if found not in allowed:
                wrong.append(f"{method} {route} as {name}: {found}")
    assert wrong == []
