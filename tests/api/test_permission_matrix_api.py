"""The permission matrix: who gets the answers of the API."""

import pytest

from tests.api import matrix


@pytest.mark.usefixtures("plain_site")
def test_everybody_gets_exactly_what_the_table_says() -> None:
    assert matrix.wrong_answers("api") == []
