"""The parts of the loopback API by themselves: routes, pages, drift."""

import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans.sandbox import stub_api
from orphans.sandbox.stub_api import ITEMS, LARGEST_PAGE, Faults, drawn, drift, item, page, route

DOCUMENTS = st.dictionaries(
    st.text(min_size=1, max_size=5), st.integers() | st.text(max_size=5) | st.lists(st.integers()), min_size=1
)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/items", 200),
        ("GET", "/items/", 200),
        ("POST", "/items", 404),
        ("GET", f"/items/{ITEMS}", 200),
        ("GET", f"/items/{ITEMS + 1}", 404),
        ("GET", "/items/-1", 404),
        ("GET", "/items/1/more", 404),
        ("GET", "/items?page=0", 400),
        ("GET", "/items?size=-5", 400),
        ("GET", "/items?page=9999999999999", 200),
        ("DELETE", "/echo", 200),
        ("GET", "/error/500", 500),
        ("GET", "/error/200", 404),
        ("GET", "/error/999", 404),
        ("GET", "//", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_addresses_are_answered(method: str, address: str, status: int) -> None:
    assert route(method, address, None, 0)[0] == status


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "PUT"]))
def test_no_address_breaks_the_server(address: str, method: str) -> None:
    address = "/" + address.replace("[", "").replace("]", "")
    assert route(method, address, {"x": 1}, 0)[0] in {200, 400, 404, *range(400, 600)}


@given(number=st.integers(1, 20), size=st.integers(1, 300), seed=st.integers(0, 5))
def test_a_page_has_no_more_than_it_may_and_leads_on_to_the_end(number: int, size: int, seed: int) -> None:
    status, found = page({"page": str(number), "size": str(size)}, seed)
    assert status == 200
    assert len(found["items"]) <= min(size, LARGEST_PAGE)
    assert (found["next"] is None) == (number >= found["pages"])
    assert found["items"] == [item(each["id"], seed) for each in found["items"]]


@given(DOCUMENTS, st.integers(0, 1000))
def test_drift_always_changes_the_shape_and_never_the_original(document: dict[str, Any], seed: int) -> None:
    before = dict(document)
    changed = drift(document, random.Random(seed))
    assert document == before
    shapes = [{key: type(value) for key, value in each.items()} for each in (before, changed)]
    assert shapes[0] != shapes[1]


@pytest.mark.parametrize("document", [[], [1], "text", None, {}])
def test_what_is_no_object_drifts_into_one(document: Any) -> None:
    assert drift(document, random.Random(0)) == {"data": document}


def test_drift_of_a_page_can_be_inside_its_items() -> None:
    found = page({}, 0)[1]
    changed = [drift(found, random.Random(seed)) for seed in range(60)]
    inside = [each for each in changed if set(each) == set(found) and isinstance(each["items"], list)]
    assert [each for each in inside if each["items"] != found["items"]]


def test_chance_belongs_to_its_key() -> None:
    assert drawn(1, "loss", 2).random() == drawn(1, "loss", 2).random()
    values = [drawn(seed, word, 3).random() for seed in (1, 2) for word in ("loss", "drift")]
    assert len(set(values)) == 4


def test_without_faults_nothing_happens() -> None:
    calm = Faults()
    for number in range(50):
        assert calm.delay(number) == 0
        assert not any(fault(number) for fault in (calm.lost, calm.failed, calm.drifted))


def test_faults_of_one_kind_do_not_move_those_of_another() -> None:
    plain, mixed = (
        Faults(failures=3, failure_window=9),
        Faults(failures=3, failure_window=9, loss=0.5, drifts=0),
    )
    assert [plain.failed(n) for n in range(90)] == [mixed.failed(n) for n in range(90)]


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    lines = Path(stub_api.__file__).read_text().splitlines()
    imports = [line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))]
    assert len(imports) > 5
    assert set(imports) <= set(sys.stdlib_module_names)
