"""Where a function fits: types first, then keys, then words; never by a word alone."""

import pytest

from engines.domain.workflow_matching import (
    MIN_SCORE,
    TOP,
    Callee,
    Flow,
    callees,
    keys_after,
    matches,
)

STEPS = '''
"""Orders of the shop."""
from typing import Any

Payload = dict[str, Any]


def load(payload: Payload) -> Payload:
    """Load orders."""
    return {"orders": payload["orders"], "currency": "EUR"}


def price(payload: Payload) -> Payload:
    """Price orders."""
    return {**payload, "total": sum(payload["orders"])}


def report(payload: Payload) -> str:
    """Report the total."""
    return str(payload["total"])
'''

DISCOUNT = '''
"""Discount for large orders of the shop."""
from typing import Any


def discount(payload: dict[str, Any]) -> dict[str, Any]:
    """Take five percent off the total of orders."""
    return {**payload, "total": payload["total"] * 0.95}
'''


def flow(source: str = STEPS, name: str = "orders") -> Flow:
    return Flow(name=name, steps=tuple(callees(source, "shop.steps")))


def one(source: str, module: str = "shop.extra") -> Callee:
    (found,) = callees(source, module)
    return found


def test_a_function_goes_where_its_keys_are_known() -> None:
    (match,) = matches([one(DISCOUNT)], [flow()])

    assert (match.workflow, match.step, match.position) == ("orders", "shop.extra:discount", 2)
    assert match.score == pytest.approx(1.0)
    assert match.parts == {"keys": 1.0, "imports": 1.0, "names": 1.0}


def test_aliases_quotes_and_typing_do_not_matter() -> None:
    alias = one("import typing\nP = typing.Dict[str, typing.Any]\ndef f(p: 'P') -> P:\n    return p\n")

    assert alias.takes == alias.returns == "dict[str,Any]"


@pytest.mark.parametrize(
    "signature",
    [
        "(payload: list) -> dict[str, Any]",
        "(payload: dict[str, Any]) -> list",
        "(payload) -> dict[str, Any]",
        "(payload: dict[str, Any])",
        "(payload: dict[str, Any], more: int) -> dict[str, Any]",
        "() -> dict[str, Any]",
        "(payload: dict[str, Any], *, must: int) -> dict[str, Any]",
    ],
)
def test_another_signature_fits_nowhere(signature: str) -> None:
    source = DISCOUNT.replace("(payload: dict[str, Any]) -> dict[str, Any]", signature)

    assert matches(callees(source, "shop.extra"), [flow()]) == []


def test_a_key_that_nobody_hands_on_rules_a_place_out() -> None:
    missing = DISCOUNT.replace('payload["total"] * 0.95', 'payload["weight"]')

    assert matches(callees(missing, "shop.extra"), [flow()]) == []


def test_what_drops_a_key_that_the_next_step_reads_rules_a_place_out() -> None:
    drops = DISCOUNT.replace('{**payload, "total"', '{"other"')

    assert matches(callees(drops, "shop.extra"), [flow()]) == []


def test_a_private_function_is_never_offered() -> None:
    assert callees(DISCOUNT.replace("def discount", "def _discount"), "shop.extra") == []


def test_a_stranger_with_the_right_type_is_under_the_score() -> None:
    stranger = "from typing import Any\ndef xy(p: dict[str, Any]) -> dict[str, Any]:\n    return p\n"

    assert matches(callees(stranger, "zz"), [flow()]) == []
    assert MIN_SCORE > 0.3


def test_a_step_is_not_put_in_twice() -> None:
    again = one(DISCOUNT, "shop.steps")
    steps = (*flow().steps[:2], again, flow().steps[2])

    assert matches([again], [Flow(name="orders", steps=steps)]) == []


def test_at_most_three_workflows_get_a_module_best_first() -> None:
    flows = [flow(name=f"orders{number}") for number in range(5)]

    found = matches([one(DISCOUNT)], flows)

    assert [match.workflow for match in found] == ["orders0", "orders1", "orders2"]
    assert len(found) == TOP


def test_repeated_calls_say_the_same() -> None:
    functions = [one(DISCOUNT), one(DISCOUNT.replace("def discount", "def rebate"))]

    assert matches(functions, [flow()]) == matches(list(reversed(functions)), [flow()])


def test_keys_are_known_only_where_every_return_spells_them_out() -> None:
    load, price, _ = flow().steps
    vague = one("def f(p: dict) -> dict:\n    return make(p)\n")

    assert keys_after([load]) == frozenset({"orders", "currency"})
    assert keys_after([load, price]) == frozenset({"orders", "currency", "total"})
    assert keys_after([load, vague]) is None
    assert keys_after([price]) is None


@pytest.mark.parametrize("source", ["def broken(:", "\0", "print 'two'", "(" * 500])
def test_what_is_no_python_has_no_functions(source: str) -> None:
    assert callees(source, "m") == []
