"""Who is whose copy: recall on changed copies, patience with siblings, one answer whoever is asked first."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from orphans.domain import fingerprints
from orphans.domain.fingerprints import Fingerprint, fingerprint
from orphans.domain.redundancy import Source, Twin, find_twins, overlap
from tests.orphans.domain.modules import LEDGER, SIBLING, UNRELATED, renamed, reordered, thinned


def readers(sources: Mapping[str, Source | None]) -> dict[str, Callable[[], Source | None]]:
    """Return how to read each of some sources."""
    return {path: partial(sources.__getitem__, path) for path in sources}


def twin_of(source: Source, others: dict[str, Source | None]) -> Twin | None:
    """Return the twin of one module among live others."""
    return find_twins({"attic/candidate.py": source}, readers(others)).get("attic/candidate.py")


LIVE: dict[str, Source | None] = {
    "shop/ledger.py": LEDGER,
    "shop/colours.py": UNRELATED,
    "shop/basket.py": SIBLING,
}


@pytest.mark.parametrize(
    "changed",
    [LEDGER, renamed(LEDGER), reordered(renamed(LEDGER)), thinned(reordered(renamed(LEDGER)), 3)],
    ids=["exact", "renamed", "reordered", "thinned"],
)
def test_a_changed_copy_is_found_with_its_original(changed: str) -> None:
    twin = twin_of(changed, LIVE)
    assert twin is not None
    assert (twin.path, twin.live) == ("shop/ledger.py", True)
    assert twin.similarity >= 0.9


def test_a_copy_that_grew_is_found_too() -> None:
    grown = renamed(LEDGER) + "\n\ndef interest(ledger, rate):\n    return ledger.balance() * rate / 100\n"
    twin = twin_of(grown, LIVE)
    assert twin is not None
    assert 0.8 < twin.similarity < 1


def test_what_a_successor_swallowed_is_redundant_but_not_the_successor() -> None:
    successor = LEDGER + UNRELATED.partition("import re")[2].replace("HEX", "re.HEX")
    assert twin_of(LEDGER, {"shop/all.py": successor}) is not None
    part = "\n".join(LEDGER.splitlines()[:20])
    assert twin_of(successor, {"shop/part.py": part}) is None


@pytest.mark.parametrize("source", [SIBLING, UNRELATED], ids=["sibling", "unrelated"])
def test_a_module_of_its_own_has_no_twin(source: str) -> None:
    assert twin_of(source, {"shop/ledger.py": LEDGER}) is None


def test_a_sibling_has_the_shapes_and_lacks_the_names() -> None:
    one, other = fingerprint(SIBLING), fingerprint(LEDGER)
    assert one is not None
    assert other is not None
    found = overlap(one, other)
    assert found.names < 0.55
    assert not found.is_copy


def test_a_sibling_with_most_names_is_told_by_what_it_defines() -> None:
    sibling = LEDGER.replace("class Ledger", "class Purse").replace("load_ledger", "load_purse")
    sibling = sibling.replace("statement", "listing").replace("Ledger(", "Purse(")
    other = thinned(LEDGER, 3)
    assert twin_of(thinned(sibling, 6), {"shop/ledger.py": other}) is None
    assert twin_of(thinned(LEDGER, 6), {"shop/ledger.py": other}) is not None


def test_a_whole_copy_is_found_even_if_its_definitions_were_renamed() -> None:
    copy = renamed(LEDGER.replace("Ledger", "Purse").replace("load_", "read_"))
    twin = twin_of(copy, LIVE)
    assert twin is not None
    assert twin.path == "shop/ledger.py"


def test_the_same_words_in_other_statements_make_no_copy() -> None:
    prose = f'"""{LEDGER.replace(chr(34) * 3, "")}"""\nimport json\nprint(json, "Ledger", "book")\n'
    assert twin_of(LEDGER, {"notes.py": prose}) is None


def test_too_little_is_no_copy_of_anything() -> None:
    tiny = "from shop import models\nadmin = models.site\n"
    assert twin_of(tiny, {"shop/other.py": tiny}) is None


def test_the_closest_of_several_copies_is_the_twin() -> None:
    others: dict[str, Source | None] = {"a/old.py": thinned(LEDGER, 2), "z/ledger.py": LEDGER}
    twin = twin_of(renamed(LEDGER), others)
    assert twin is not None
    assert twin.path == "z/ledger.py"


def test_of_equal_copies_the_nearest_folder_then_the_first_path_is_the_twin() -> None:
    others: dict[str, Source | None] = {"a/x.py": LEDGER, "attic/z.py": LEDGER, "attic/y.py": LEDGER}
    twin = twin_of(LEDGER, others)
    assert twin is not None
    assert twin.path == "attic/y.py"


def test_a_live_original_is_preferred_to_another_orphan() -> None:
    found = find_twins({"a.py": LEDGER, "b.py": LEDGER}, readers({"shop/ledger.py": renamed(LEDGER)}))
    assert {path: twin.path for path, twin in found.items()} == {
        "a.py": "shop/ledger.py",
        "b.py": "shop/ledger.py",
    }


@pytest.mark.parametrize("order", [("one.py", "another.py"), ("another.py", "one.py")])
def test_of_two_orphans_that_are_copies_one_stays_whatever_the_order(order: tuple[str, str]) -> None:
    found = find_twins(dict.fromkeys(order, LEDGER), {})
    assert {path: (twin.path, twin.live) for path, twin in found.items()} == {"another.py": ("one.py", False)}


def test_of_two_orphans_the_one_with_more_in_it_stays() -> None:
    found = find_twins({"a.py": thinned(LEDGER, 3), "ledger_full.py": LEDGER}, {})
    assert {path: twin.path for path, twin in found.items()} == {"a.py": "ledger_full.py"}


def test_a_hundred_copies_have_one_original() -> None:
    found = find_twins({f"copy_{number:03}.py": LEDGER for number in range(100)}, {})
    assert len(found) == 99
    assert {twin.path for twin in found.values()} == {"copy_000.py"}


def test_a_candidate_is_not_its_own_twin() -> None:
    assert find_twins({"shop/ledger.py": LEDGER}, readers(LIVE)) == {}


def test_files_that_cannot_be_read_or_parsed_are_passed_over() -> None:
    others: dict[str, Source | None] = {
        "gone.py": None,
        "broken.py": LEDGER + "\n(((",
        "null.py": LEDGER.encode() + b"\0",
        "huge.py": LEDGER + "#" * 5_000_000,
    }
    assert twin_of(LEDGER, others) is None
    assert twin_of("def f(:", {"shop/ledger.py": LEDGER}) is None


def test_bytes_and_text_are_the_same_source() -> None:
    twin = twin_of(LEDGER.encode(), {"shop/ledger.py": LEDGER.encode()})
    assert twin is not None
    assert twin.similarity == 1


def test_most_files_are_never_parsed() -> None:
    seen: list[str] = []

    def printer(path: str, source: Source) -> Fingerprint | None:
        seen.append(path)
        return fingerprint(source)

    many: dict[str, Source | None] = {f"lib/m{number}.py": UNRELATED for number in range(300)}
    find_twins({"old.py": renamed(LEDGER)}, readers(many | {"shop/ledger.py": LEDGER}), printer)
    assert sorted(seen) == ["old.py", "shop/ledger.py"]


def test_without_candidates_nothing_is_read() -> None:
    def never() -> Source:
        raise AssertionError("read")

    assert find_twins({}, {"a.py": never}) == {}
    assert find_twins({"tiny.py": "x = 1\n"}, {"a.py": never}) == {}


def test_the_evidence_says_how_much_of_it_is_where() -> None:
    twin = twin_of(LEDGER, LIVE)
    assert twin is not None
    (fact,) = twin.evidence
    assert (fact.kind, fact.path) == ("twin", "shop/ledger.py")
    assert "100% of its statements" in fact.detail


@pytest.fixture(scope="module")
def house() -> dict[str, Source]:
    """The sources of our own `domain`."""
    return {path.name: path.read_text() for path in sorted(Path(fingerprints.__file__).parent.glob("*.py"))}


def test_our_own_modules_are_no_copies_of_each_other(house: dict[str, Source]) -> None:
    prints = {name: fingerprint(source) for name, source in house.items()}
    for name, source in house.items():
        others = readers({each: text for each, text in house.items() if each != name})
        assert find_twins({name: source}, others, lambda path, _source: prints[path]) == {}


def test_our_own_modules_are_recognised_after_renaming(house: dict[str, Source]) -> None:
    large = [name for name, text in house.items() if len(text) > 2500][:10]
    candidates: dict[str, Source] = {f"copies/{name}": reordered(renamed(str(house[name]))) for name in large}
    found = find_twins(candidates, readers(house))
    assert {path: twin.path for path, twin in found.items()} == {f"copies/{name}": name for name in large}
