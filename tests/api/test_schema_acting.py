"""The API keeps to its schema whatever a client sends that may act."""

from typing import Any

import pytest

from tests.api.attacking import attack_all, checks, ids, one_connection

__all__ = ["checks", "ids", "one_connection"]


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ["operator", "approver", "admin"])
def test_no_request_of_those_who_act_gets_an_undocumented_answer(
    role: str, ids: dict[str, Any], checks: list[Any]
) -> None:
    assert attack_all(role, ids, checks) >= 36
