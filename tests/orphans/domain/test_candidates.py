"""What a self-test executes, and why not."""

import pytest

from orphans.domain.candidates import Candidate, Switches, choose, may_be_mapped, worth_it
from orphans.domain.findings import Classification


def candidate(path: str = "a.py", word: str = "orphan", **fields: object) -> Candidate:
    return Candidate(path=path, classification=Classification(word), **fields)  # type: ignore[arg-type]


def test_orphans_and_isolated_modules_run_in_order() -> None:
    choice = choose([candidate("b.py"), candidate("a.py", "isolated")], Switches())

    assert (choice.run, choice.skipped) == (("b.py", "a.py"), {})


@pytest.mark.parametrize("word", ["test_only", "public_unreferenced"])
def test_what_may_be_in_use_is_reported_and_not_executed(word: str) -> None:
    choice = choose([candidate(word=word)], Switches())

    assert choice.run == ()
    assert choice.skipped["a.py"]
    assert choose([candidate(word=word)], Switches(), named=frozenset({"a.py"})).run == ("a.py",)


@pytest.mark.parametrize("word", ["redundant", "legacy"])
def test_redundant_and_legacy_run_unless_switched_off(word: str) -> None:
    assert choose([candidate(word=word)], Switches()).run == ("a.py",)
    off = choose([candidate(word=word)], Switches(redundant=False))
    assert off.run == ()
    assert "SANDBOX_TEST_REDUNDANT" in off.skipped["a.py"]
    flagged = choose([candidate(redundant=True)], Switches(redundant=False))
    assert flagged.run == ()


def test_isolated_modules_are_left_alone_when_not_looked_for() -> None:
    choice = choose([candidate(word="isolated"), candidate("b.py")], Switches(isolated=False))

    assert choice.run == ("b.py",)


def test_helpers_wait_for_recursion() -> None:
    chain = [candidate("head.py"), candidate("help.py", parents=("head.py",), chain=("head.py", "help.py"))]

    assert choose(chain, Switches()).run == ("head.py", "help.py")
    assert choose(chain, Switches(recursive_orphans=False)).run == ("head.py",)
    named = frozenset({"head.py"})
    assert choose(chain, Switches(recursive_orphans=False), named=named).run == ("head.py", "help.py")
    assert choose(chain, Switches(recursive_isolated=False), named=named).run == ("head.py",)


def test_a_heavy_module_is_left_alone_even_when_named() -> None:
    choice = choose([candidate(heavy="score 99")], Switches(), named=frozenset({"a.py"}))

    assert choice.skipped == {"a.py": "score 99"}


@pytest.mark.parametrize("word", [each.value for each in Classification])
def test_only_orphans_and_isolated_modules_may_be_mapped(word: str) -> None:
    assert may_be_mapped(Classification(word), redundant=False) is (word in ("orphan", "isolated"))
    assert may_be_mapped(Classification(word), redundant=True) is False


@pytest.mark.parametrize(
    ("roi", "synergy", "worth"),
    [
        (None, None, True),
        (0.5, None, True),
        (0.4, None, False),
        (0.4, 0.2, True),
        (None, 0.1, False),
        (-1.0, -1.0, False),
    ],
)
def test_one_threshold_must_be_reached_where_something_was_measured(
    roi: float | None, synergy: float | None, worth: bool
) -> None:
    assert worth_it(roi, synergy, roi_threshold=0.5, synergy_threshold=0.2) is worth
