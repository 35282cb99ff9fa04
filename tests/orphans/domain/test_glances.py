"""A glance never turns away what a comparison of fingerprints would call a copy."""

from pathlib import Path

import pytest

from orphans.domain import fingerprints
from orphans.domain.fingerprints import fingerprint
from orphans.domain.glances import Glance
from orphans.domain.redundancy import LEAST_WEIGHT, may_contain, overlap
from orphans.domain.sketches import words_in, words_of
from tests.orphans.domain.modules import LEDGER, UNRELATED

HOUSE = sorted(Path(fingerprints.__file__).parent.glob("*.py"))[:12]


@pytest.mark.parametrize("place", HOUSE, ids=lambda place: place.name)
def test_every_copy_passes(place: Path) -> None:
    source = place.read_text()
    module = fingerprint(source)
    assert module is not None
    glance = Glance.at(source)
    if module.weight >= LEAST_WEIGHT:
        assert overlap(module, module).is_copy
    assert may_contain(module, glance)
    assert glance.may_hold(words_in(source), glance)


def test_another_subject_is_turned_away() -> None:
    module = fingerprint(LEDGER)
    assert module is not None
    assert not may_contain(module, Glance.at(UNRELATED))
    assert not Glance.at(UNRELATED).may_hold(words_in(LEDGER), Glance.at(LEDGER))


def test_bounds_are_bounds() -> None:
    module = fingerprint(LEDGER)
    assert module is not None
    glance = Glance.at(LEDGER.encode())
    assert glance.shared_names(module) == len(module.names)
    assert glance.names <= len(module.names)
    assert glance.shared_definitions(module) == 1.0
    assert Glance.at("").shared_definitions(module) is None


def test_words_without_a_parse_are_nearly_those_of_the_fingerprint() -> None:
    module = fingerprint(LEDGER)
    assert module is not None
    parsed = words_of(module.names)
    assert len(words_in(LEDGER) & parsed) >= 0.9 * len(parsed)
