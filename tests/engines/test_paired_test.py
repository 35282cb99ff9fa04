"""What a paired test said, in words: right figures, a fixed order, and nothing that isn't a number."""

from dataclasses import asdict
from typing import Any

import pytest

from engines.domain.significance import mcnemar
from engines.panels.paired import MAX_FIGURES, figures, paired_test

WON = mcnemar([False] * 20 + [True] * 80, [True] * 100, alpha=0.01)


def test_a_test_is_told_with_its_interval_and_its_chance() -> None:
    found = paired_test({"metric": "accuracy", **asdict(WON)})
    assert found is not None
    assert found["sentence"].startswith(
        "Significant: +0.2 in accuracy, 98 % interval +0.129 to +0.2. p = 4.768e"
    )
    assert found["sentence"].endswith("and at most 0.01 is asked for (mid-p McNemar test, 100 pairs).")


def test_what_is_not_significant_says_so_first() -> None:
    even = mcnemar([True, False] * 10, [False, True] * 10, alpha=0.05)
    found = paired_test(asdict(even))
    assert found is not None
    assert found["sentence"].startswith("Not significant: 0, 90 % interval")


def test_figures_come_in_the_order_in_which_they_are_read() -> None:
    names = [name for name, _ in figures({"df": 9, "z": 1, "p_value": None, "uplift": 0.1}, ("uplift", "df"))]
    assert names == ["uplift", "df", "z", "p value"]
    assert dict(figures({"p_value": None, "significant": True}))["p value"] == "not measured"


@pytest.mark.parametrize(
    "data",
    [
        {"mean_difference": "1", "p_value": 0.1},
        {"mean_difference": float("nan")},
        {"mean_difference": True},
        {"note": "x" * 10},
    ],
)
def test_what_is_no_number_makes_no_sentence(data: dict[str, Any]) -> None:
    found = paired_test(data)
    assert found is not None
    assert found["sentence"] == ""


def test_no_test_is_nothing_and_many_figures_are_cut() -> None:
    assert paired_test({}) is None
    assert len(figures({f"k{at}": at for at in range(MAX_FIGURES + 9)})) == MAX_FIGURES
