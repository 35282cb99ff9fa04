"""Folding of strings and folders: what is told is what Python makes of it, the rest is a hole."""

import ast
import itertools
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.folding import HOLE, Place, Scope, alternatives, fold, place_of

KNOWN = {"PREFIX": "app", "KIND": "plugins"}
SCOPE = Scope(
    path="app/sub/mod.py",
    name="app.sub.mod",
    package="app.sub",
    values={name: ast.Constant(value) for name, value in KNOWN.items()},
    imported={"pkg": "other.pkg", "sub": "app.sub"},
)
GLOBALS = {**KNOWN, "__name__": SCOPE.name, "__package__": SCOPE.package, "unknown": "?u?"}
few = settings(max_examples=40, deadline=None)


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def folded(text: str) -> tuple[str | None, ...]:
    return fold(expression(text), SCOPE)


def placed(text: str) -> str | None:
    place = place_of(expression(text), SCOPE)
    return place.path if place is not None else None


words = st.sampled_from(["app", ".", "a_b", "", "x.y", "plugins", "ü"])
atoms = words.map(repr) | st.sampled_from(["PREFIX", "KIND", "__name__", "__package__", "unknown"])
sources = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("('%s.%s' % ({}, {}))".format, inner, inner),
        st.builds("'{{}}.{{}}'.format({}, {})".format, inner, inner),
        st.builds("'-'.join([{}, {}])".format, inner, inner),
        st.builds("str({})".format, inner),
        st.builds(
            "f'{{{}}}.x.{{{}}}'".format, st.sampled_from(list(GLOBALS)), st.sampled_from(list(GLOBALS))
        ),
    ),
    max_leaves=5,
)


def fits(pieces: tuple[str | None, ...], text: str) -> bool:
    """Tell whether a text can be read as the pieces with something in their holes."""
    at = 0
    for number, piece in enumerate(pieces):
        if piece is None:
            continue
        found = text.find(piece, at)
        if found < 0 or (number == 0 and found):
            return False
        at = found + len(piece)
    return pieces[-1] is None or text.endswith(pieces[-1])


@few
@given(sources)
def test_what_is_folded_is_what_python_evaluates(source: str) -> None:
    value = eval(source, dict(GLOBALS))  # text from the strategy above, nobody else's
    pieces = folded(source)
    assert fits(pieces, value)
    if "unknown" not in source and None not in pieces:
        assert pieces == (value,)


@few
@given(sources)
def test_what_is_known_is_folded_whole(source: str) -> None:
    """Nothing but an unknown name, or too much depth, may leave a hole."""
    shallow = source.count("(") + source.count("[") < 6
    if "unknown" not in source and shallow:
        assert None not in folded(source)


@few
@given(sources)
def test_pieces_take_turns(source: str) -> None:
    pieces = folded(source)
    assert pieces
    assert all((one is None) != (two is None) for one, two in itertools.pairwise(pieces))


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        ("f'{__package__}.{kind}'", ("app.sub.", None)),
        ("f'{kind}_{other}.x'", (None, "_", None, ".x")),
        ("'%s.%s' % (PREFIX, unknown)", ("app.", None)),
        ("'{}.mod'.format(unknown)", (None, ".mod")),
        ("'{}{}'.format('', PREFIX)", ("app",)),
        ("'app.%d' % 3", HOLE),
        ("'app.%(kind)s' % unknown", ("app.", None)),
        ("'app.{0}'.format(unknown)", ("app.", None)),
        ("f'app.{PREFIX!r}'", ("app.", None)),
        ("f'app.{PREFIX:>9}'", ("app.", None)),
        ("f'app.{PREFIX!s}'", ("app.app",)),
        ("__name__.rpartition('.')[2]", HOLE),
        ("'.'.join([PREFIX, unknown, 'x'])", ("app.", None, ".x")),
        ("__spec__.parent", ("app.sub",)),
        ("Handler.__module__", ("app.sub.mod",)),
        ("pkg.__name__", ("other.pkg",)),
        ("__name__.rpartition('.')[0]", ("app.sub",)),
        ("7", HOLE),
        ("b'bytes'", HOLE),
        ("unknown", HOLE),
        ("get()", HOLE),
        ("'a' - 'b'", HOLE),
        ("unknown.__name__", HOLE),
        ("[x for x in y]", HOLE),
        ("unknown % 'x'", HOLE),
    ],
)
def test_what_names_a_module(source: str, pieces: Any) -> None:
    assert folded(source) == pieces


def test_a_name_that_means_itself_ends_in_a_hole() -> None:
    scope = Scope("a.py", "a", "", {"x": ast.Name("x"), "y": expression("y + 'z'")}, {})
    assert fold(ast.Name("x"), scope) == HOLE
    assert fold(ast.Name("y"), scope)[0] is None


def test_a_very_deep_sum_ends_in_a_hole() -> None:
    assert None in folded("+".join(["'a'"] * 60))


paths = st.lists(st.sampled_from(["plugins", "..", ".", "a", "b.py"]), min_size=1, max_size=4)


@few
@given(paths, st.integers(0, 2))
def test_folders_below_a_file_are_where_pathlib_says(parts: list[str], ups: int) -> None:
    source = "Path(__file__)" + ".parent" * (ups + 1) + "".join(f" / {part!r}" for part in parts)
    start = list(PurePosixPath(SCOPE.path).parts[: -(ups + 1)])
    for part in parts:
        start = start[:-1] if part == ".." else [*start, part] if part != "." else start
    assert placed(source) == "/".join(start)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("__file__", "app/sub/mod.py"),
        ("__path__", "app/sub"),
        ("Path(__file__).parents[1]", "app"),
        ("Path(__file__).resolve().parent", "app/sub"),
        ("os.path.dirname(os.path.abspath(__file__))", "app/sub"),
        ("os.path.join(os.path.dirname(__file__), '..', KIND)", "app/plugins"),
        ("Path(__file__).parent.joinpath(KIND, unknown, 'x')", "app/sub/plugins"),
        ("[os.path.dirname(__file__)]", "app/sub"),
        ("str(Path(__file__).parent)", "app/sub"),
        ("unknown / 'x'", None),
        ("unknown()", None),
    ],
)
def test_places(source: str, path: str | None) -> None:
    assert placed(source) == path


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("pkg.__path__", "other.pkg"),
        ("pkg.deep.__path__", "other.pkg.deep"),
        ("files('app.data')", "app.data"),
        ("import_module('app.x').__file__", "app.x"),
    ],
)
def test_places_of_modules(source: str, module: str) -> None:
    assert place_of(expression(source), SCOPE) == Place(module=module)


def test_a_literal_path_is_relative_to_nobody_knows_what() -> None:
    assert place_of(expression("'plugins'"), SCOPE) == Place(path="plugins", loose=True)
    assert place_of(None, SCOPE) is None


def test_an_expression_with_conditions_comes_to_each_of_its_branches() -> None:
    values = {"spec": expression("'app.' + name if name in known else (other or name)")}
    scope = Scope("a.py", "a", "", values, {})
    found = [ast.unparse(each) for each in alternatives(ast.Name("spec"), scope) if each is not None]
    assert found == ["'app.' + name", "other", "name"]


def test_the_folder_of_a_package_that_a_function_is_given() -> None:
    place = place_of(expression("get_root_path('app.sub')"), SCOPE)
    assert place is not None
    assert place.module == "app.sub"
    assert place_of(expression("get_title('app.sub')"), SCOPE) is None
