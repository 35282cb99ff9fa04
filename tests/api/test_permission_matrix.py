"""Every route by method, kind of person or token, own and foreign things, against a kept table."""

import pytest

from tests.api import matrix


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


@pytest.mark.usefixtures("plain_site")
def test_everybody_gets_exactly_the_pages_the_table_says() -> None:
    assert matrix.wrong_answers("pages") == []
