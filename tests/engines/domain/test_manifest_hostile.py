"""Manifests that somebody wrote to break the reader: refused by name, never by a traceback."""

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import ManifestError
from engines.domain.manifest import MAX_STEPS, MAX_WORKFLOWS, parse
from engines.domain.manifest_check import MAX_SOURCE, check, defined_names
from engines.domain.manifest_reading import (
    MAX_ENTRIES,
    MAX_PATH,
    MAX_TEXT,
    check_glob,
    check_path,
    check_reference,
    check_word,
)

QUIET = settings(deadline=None, max_examples=60)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
KEYS = st.sampled_from(
    ["pipeline", "value", "workflows", "entry_points", "tests", "protected", "import_paths", "budget",
     "schedule", "metric", "steps", "cpu_seconds", "trials", "every_seconds", "unit_value", "direction"]
)  # fmt: skip
HUGE = "1" + "0" * 400
HUGE_HEX = "0x" + "f" * 6000


def written(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + "}"
    return repr(value)


def refused(text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse({"menace.toml": text})
    return caught.value


DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=100)
@given(DOCUMENTS)
def test_valid_toml_with_wrong_shapes_is_read_or_refused_with_its_key(data: dict[str, object]) -> None:
    text = "\n".join(f"{key} = {written(value)}" for key, value in data.items())
    error: ManifestError | None = None
    try:
        parse({"menace.toml": text})
    except ManifestError as refusal:
        error = refusal
    if error is not None:
        assert error.file == "menace.toml"
        assert "; " in str(error)
        assert str(error).isprintable()


@pytest.mark.parametrize(
    "number", [HUGE, f"-{HUGE}", HUGE_HEX, "1e400", "nan", "-inf", "0x7fffffffffffffffff"]
)
@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("value", "unit_value"),
        ("value", "cpu_hour_cost"),
        ("budget", "cpu_seconds"),
        ("budget", "trials"),
        ("schedule", "every_seconds"),
    ],
)
def test_numbers_of_any_size_are_refused_with_the_limits(number: str, table: str, key: str) -> None:
    metric = 'metric = "a"\n' if table == "value" else ""
    error = refused(f"[{table}]\n{metric}{key} = {number}")
    assert error.field == f"{table}.{key}"
    assert len(str(error)) < 250


@pytest.mark.parametrize(
    ("table", "key", "low", "high"),
    [
        ("budget", "trials", 1, 100_000),
        ("budget", "cpu_seconds", 0.1, 1e6),
        ("schedule", "every_seconds", 10.0, 31_536_000.0),
    ],
)
def test_both_ends_of_a_range_are_in_and_what_lies_beyond_is_out(
    table: str, key: str, low: float, high: float
) -> None:
    for inside in (low, high):
        assert parse({"menace.toml": f"[{table}]\n{key} = {inside!r}"})
    for outside in (low - low / 10, high * 1.001):
        beyond = int(outside) if isinstance(low, int) else outside
        assert refused(f"[{table}]\n{key} = {beyond!r}").field == f"{table}.{key}"


def test_limits_of_count_are_exact() -> None:
    steps = [f'"m:f{number}"' for number in range(MAX_STEPS + 1)]
    fits = parse({"menace.toml": f"[workflows.a]\nsteps = [{','.join(steps[:-1])}]"})
    assert len(fits.workflows["a"].steps) == MAX_STEPS
    assert refused(f"[workflows.a]\nsteps = [{','.join(steps)}]").field == "workflows.a.steps"
    many = "".join(f'[workflows.w{number}]\nsteps = ["m:f"]\n' for number in range(MAX_WORKFLOWS + 1))
    assert "101 workflows" in str(refused(many))
    assert refused(f"tests = {written([f't{n}' for n in range(MAX_ENTRIES + 1)])}").field == "tests"


def test_a_file_is_at_most_so_long() -> None:
    filler = "#" * (MAX_TEXT - 1)
    assert parse({"menace.toml": f"{filler}\n"}).file == "menace.toml"
    assert "larger than" in str(refused(f"{filler}\n#"))


@QUIET
@given(st.text(max_size=MAX_PATH + 5))
def test_an_accepted_path_stays_inside_the_repository(text: str) -> None:
    try:
        path = check_path(text)
    except ValueError:
        return
    parts = path.split("/")
    assert not path.startswith(("/", "~", "-"))
    assert ".." not in parts
    assert ".git" not in [part.lower() for part in parts]
    assert "\\" not in path
    assert len(path) <= MAX_PATH


@pytest.mark.parametrize(
    "path", ["..", "a/..", "../a", "a/../b", ".git", "a/.Git/b", "//a", "a//b", "a:b", "-a"]
)
def test_no_path_leads_out(path: str) -> None:
    with pytest.raises(ValueError, match=r"inside the repository|into \.git"):
        check_path(path)


@pytest.mark.parametrize(
    ("path", "kept"), [("a/", "a"), ("a/b.py", "a/b.py"), (".", "."), ("...", "..."), ("ü", "ü")]
)
def test_plain_paths_are_kept(path: str, kept: str) -> None:
    assert check_path(path) == kept


@pytest.mark.parametrize("pattern", ["*", "a/**/b", "??.py", "*.git"])
def test_globs_are_taken_as_they_are(pattern: str) -> None:
    assert check_glob(pattern) == pattern


@pytest.mark.parametrize("pattern", ["../*", "/*", "*/../*", ".git/*", "a\x00*"])
def test_globs_lead_out_as_little_as_paths(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"must be relative|reaches into|no plain path"):
        check_glob(pattern)


@QUIET
@given(st.text(max_size=40))
def test_an_accepted_reference_is_a_dotted_name_and_a_function(text: str) -> None:
    try:
        found = check_reference(text)
    except ValueError:
        return
    module, name = found.split(":")
    assert name.isidentifier()
    assert all(part.isidentifier() for part in module.split("."))
    assert found.isascii()


@pytest.mark.parametrize(
    "text", ["a:b\n", "a:b:c", ":b", "a:", "a..b:c", "a.b", "ä:b", "a:b()", "a." * 21 + "a:b"]
)
def test_no_other_reference_is_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"package\.module:function"):
        check_reference(text)


@pytest.mark.parametrize(
    ("word", "fine"), [("a", True), ("a" * 64, True), ("a" * 65, False), ("a\n", False), ("_a", False)]
)
def test_words_have_a_length(word: str, fine: bool) -> None:
    if fine:
        assert check_word(word) == word
    else:
        with pytest.raises(ValueError, match="lower-case"):
            check_word(word)


ENDING = st.text("abz_09", max_size=8)


@QUIET
@given(st.lists(ENDING, unique=True, min_size=6, max_size=6))
def test_names_are_found_wherever_a_module_defines_them(names: list[str]) -> None:
    source = (
        "def {}(): pass\nclass {}: pass\nimport os as {}\n{} = 1\n"
        "try:\n    from x import {}\nexcept ImportError:\n    {} = None\n"
    ).format(*(f"n_{name}" for name in names))
    assert defined_names(source) == (frozenset(f"n_{name}" for name in names), "")


@QUIET
@given(st.text(max_size=80))
def test_any_source_is_read_or_said_to_be_none(source: str) -> None:
    names, problem = defined_names(source)
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        assert problem
        assert names == frozenset()
    else:
        assert problem == ""


@pytest.mark.parametrize("source", ["(" * 3000, "x = " + "-" * 100_000 + "1", "\x00", "a" * (MAX_SOURCE + 1)])
def test_source_that_would_break_the_parser_is_said_to_be_none(source: str) -> None:
    assert defined_names(source)[1]


def test_names_inside_functions_do_not_count() -> None:
    source = (
        "def outer():\n    inner = 1\nif True:\n    shown = 2\nfor i in []:\n    looped = 1\nelse:\n    e = 1"
    )
    assert defined_names(source)[0] == {"outer", "shown", "looped", "e"}


def test_a_module_is_looked_up_in_every_import_path_in_order() -> None:
    manifest = parse({"menace.toml": 'import_paths = ["src", "lib"]\n[workflows.a]\nsteps = ["m:f"]'})
    asked: list[str] = []

    def read(path: str) -> str | None:
        asked.append(path)
        return "def f(x): ..." if path == "lib/m.py" else None

    check(manifest, lambda path: True, read)
    assert asked == ["src/m/__init__.py", "src/m.py", "lib/m/__init__.py", "lib/m.py"]


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('import_paths = ["src"]', "import_paths", "folder src"),
        ('[workflows.a]\nsteps = ["m:f"]', "workflows.a.steps", "module m is not"),
        ('[workflows.a]\nsteps = ["bad:f"]', "workflows.a.steps", "syntax error in line 1"),
        ('[workflows.a]\nsteps = ["ok:g"]', "workflows.a.steps", "no function g"),
        ('[workflows.a]\nsteps = ["ok:f"]\ninput = "x.json"', "workflows.a.input", "file x.json"),
        ('entry_points = ["run.py"]', "entry_points", "file run.py"),
        ('entry_points = ["ok:main"]', "entry_points", "no function main"),
        ('tests = ["tests"]', "tests", "tests is not"),
    ],
)  # fmt: skip
def test_what_the_checkout_lacks_is_named(text: str, field: str, words: str) -> None:
    sources = {"ok.py": "def f(x): ...", "bad.py": "def ("}
    with pytest.raises(ManifestError, match=words) as caught:
        check(parse({"menace.toml": text}), lambda path: path == ".", sources.get)
    assert (caught.value.field, caught.value.file) == (field, "menace.toml")
    assert "commit it or mend the manifest" in str(caught.value)
