"""Every route by method, kind of person or token, own and foreign things, against a kept table."""

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from tests.api import matrix

PARTS = 2
"""Tests that share the table, so that several processes can."""


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    actual = {(route, method) for route in matrix.routes() for method in matrix.methods(route)}
    expected = set(matrix.table())
    assert sorted(actual - expected) == [], "routes without a row: say in the table who may"
    assert sorted(expected - actual) == [], "rows without a route"


def test_every_row_says_something_of_everybody() -> None:
    for (route, _), (own, foreign) in matrix.table().items():
        number = len(matrix.who(route))
        assert len(own) == number, route
        assert len(foreign) == (number if matrix.names_a_thing(route, own) else 0), route
        assert not set(own + foreign) - set("+LFNM"), route


@pytest.fixture
def plain_site(settings: Settings) -> None:
    """Leave out what neither lets in nor keeps out, and costs every request."""
    beside = ("ServeStaticMiddleware", "GZipMiddleware")
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith(beside)]


@pytest.mark.django_db
@pytest.mark.usefixtures("plain_site")
@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_gets_exactly_what_the_table_says(part: int) -> None:
    cache.clear()
    people = {person.name: person for person in matrix.subjects()}
    own, foreign = matrix.own_and_foreign()
    wrong = []
    for (route, method), expected in list(matrix.table().items())[part::PARTS]:
        asked = [own, foreign] if expected[1] else [own]
        found = [
            "".join(
                matrix.ask(people[name], method, matrix.address(route, thing, people[name], own=thing is own))
                for name in matrix.who(route)
            )
            for thing in asked
        ]
        actual = (found[0], found[1] if len(found) > 1 else "")
        if actual != expected:
            wrong.append(f"{matrix.line(route, method, *actual)}   table: {' '.join(expected)}")
    assert wrong == []
