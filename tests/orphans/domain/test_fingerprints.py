"""What a fingerprint sees, what it doesn't, and that no source can break it."""

import ast
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.fingerprints import Fingerprint, fingerprint, fingerprint_of, parsed
from tests.orphans.domain.modules import LEDGER, SIBLING, renamed, reordered


def printed(source: str | bytes) -> Fingerprint:
    """Return a fingerprint that must exist."""
    found = fingerprint(source)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "changed",
    [
        LEDGER.replace("    ", "  "),
        "\n\n# a comment\n" + LEDGER.replace("\n", "\n\n"),
        ast.unparse(ast.parse(LEDGER)),
        LEDGER.replace('"""Add one booking."""', '"""Another text."""'),
        reordered(LEDGER),
    ],
    ids=["indentation", "blank lines", "quotes", "docstring", "order"],
)
def test_layout_order_and_docstrings_do_not_count(changed: str) -> None:
    assert printed(changed) == printed(LEDGER)


def test_names_of_variables_do_not_count() -> None:
    assert printed(renamed(LEDGER)) == printed(LEDGER)


def test_values_do_not_count_for_shapes() -> None:
    assert printed("total.limit = 3 * scale\n").shapes == printed("total.limit = 4 * scale\n").shapes
    assert printed("total.limit = 3 * scale\n").shapes != printed("total.limit = 'x' * scale\n").shapes


def test_annotations_do_not_count_for_shapes() -> None:
    assert printed("def f(a: int) -> str:\n  g(a, 1)\n") == printed("def f(a):\n  g(a, 1)\n")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.send(b, c)", "a.recv(b, c)"),
        ("x = sorted(a, key=b)", "x = filtered(a, key=b)"),
        ("x = f(a, key=b)", "x = f(a, by=b)"),
        ("x = a + b * c", "x = a - b * c"),
        ("import os\nx = os(a, b)", "x = os(a, b)"),
    ],
    ids=["attribute", "builtin", "keyword", "operator", "imported"],
)
def test_what_survives_renaming_is_in_the_shape(one: str, other: str) -> None:
    assert printed(one).shapes != printed(other).shapes


def test_names_are_definitions_attributes_keywords_strings_and_imports() -> None:
    source = (
        "from shop.errors import Refused as R\n"
        "LIMIT = 3\n"
        "class Ledger:\n"
        "    def book(self, row):\n"
        "        total = row.amount\n"
        "        raise R('no such account', code=total)\n"
    )
    expected = {"shop.errors.", "Refused", "LIMIT", "Ledger", "book", "amount", "no such account", "code"}
    assert printed(source).names == expected
    assert printed(source).definitions == {"Ledger"}


def test_what_everybody_writes_is_no_name() -> None:
    prose = "y" * 61
    source = (
        f"class A:\n  def __init__(self, x):\n    x.append(x.strip())\n    print(len(x), 'ab', {prose!r})\n"
    )
    assert printed(source).names == {"A"}


def test_siblings_share_shapes_but_half_of_the_names_at_most() -> None:
    one, other = printed(LEDGER), printed(SIBLING)
    assert len(one.shapes.keys() & other.shapes.keys()) > 0
    assert len(one.names & other.names) < len(one.names) * 0.55


def test_trivial_statements_weigh_nothing() -> None:
    assert printed("import os\n'text'\npass\nreturn_value\n...\n").weight == 0


def test_one_statement_repeated_counts_once() -> None:
    assert printed("a.b(c, d)\n" * 50) == printed("x.b(y, z)\n")


def test_a_long_literal_does_not_outweigh_the_rest() -> None:
    assert printed(f"TABLE = {list(range(5000))}\n").weight < 30


def test_it_survives_json() -> None:
    found = printed(LEDGER)
    assert Fingerprint.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert json.dumps(found.to_json()) == json.dumps(printed(LEDGER).to_json())


@pytest.mark.parametrize("data", [{}, {"shapes": [["x", 1]], "names": []}, {"shapes": 3, "names": []}])
def test_other_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Fingerprint.from_json(data)


@pytest.mark.parametrize(
    "source",
    [
        "x = (" * 5000,
        "a" + " + a" * 100_000,
        "a" + ".b" * 100_000,
        "-" * 200_000 + "1",
        "{" * 60 + ":",
        "x = '\0'",
        "print 'two'",
        "x = 1" + "0" * 6000,
        "é" * 10 + "\ud800",
        b"\xff\xfe\x00",
        b"# coding: nonsense\nx = 1\n",
        "#" * 500_001,
    ],
    ids=[
        "brackets",
        "sum",
        "attributes",
        "signs",
        "braces",
        "null",
        "python 2",
        "number",
        "surrogate",
        "bytes",
        "coding",
        "long",
    ],
)
def test_what_cannot_be_parsed_has_no_fingerprint(source: str | bytes) -> None:
    assert fingerprint(source) is None


def test_warnings_of_the_source_are_not_ours() -> None:
    assert parsed("x = '\\d'\nassert (x, 1)\nx is 3\n") is not None


def test_bytes_are_read_in_their_own_encoding() -> None:
    source = "# coding: latin-1\nclass Größe:\n    def messen(self): return self.länge * 2\n"
    assert "länge" in printed(source.encode("latin-1")).names


def test_time_grows_with_the_source_and_not_faster() -> None:
    def seconds(times: int) -> float:
        tree = parsed("".join(f"def f{i}(a):\n  return a.b{i} + c(a, {i})\n" for i in range(times)))
        assert tree is not None
        started = time.process_time()
        fingerprint_of(tree)
        return time.process_time() - started

    assert min(seconds(1200) for _ in range(3)) < 12 * min(seconds(300) for _ in range(3))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_fingerprint_or_none(source: str) -> None:
    found = fingerprint(source)
    assert found is None or found.weight >= 0
