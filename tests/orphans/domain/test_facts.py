"""What the bytes of one file tell: against Python's own parser, and whatever the bytes are."""

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.facts import LISTS, MAX_LISTED, Facts, facts_of

few = settings(max_examples=50, deadline=None)
word = st.sampled_from(["a", "pkg", "mod_1", "deep"])
dotted = st.lists(word, min_size=1, max_size=3).map(".".join)
lines = st.one_of(
    dotted.map("import {}".format),
    st.builds("from {} import {}".format, dotted, word),
    st.builds("def {}():\n    import {}".format, word, dotted),
    st.builds("x = '{}'".format, dotted),
    st.just("# import nothing.at_all"),
)


@few
@given(st.lists(lines, max_size=8))
def test_every_import_of_the_parser_is_told(rows: list[str]) -> None:
    source = "\n".join(rows)
    expected = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            expected |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            expected.add(node.module or "")
    assert set(facts_of(source.encode()).imports) == expected


@few
@given(st.binary(max_size=300))
def test_any_bytes_are_read_and_survive_json(data: bytes) -> None:
    facts = facts_of(data)
    assert Facts.from_row(json.loads(json.dumps(facts.to_row()))) == facts
    assert facts.shebang is data.startswith(b"#!")


@pytest.mark.parametrize(
    ("source", "guarded"),
    [
        ("if __name__ == '__main__':\n    main()", True),
        ('if __name__=="__main__": main()', True),
        ("x = 1\nif (__name__ == '__main__'):\n    main()", True),
        ("if '__main__' == __name__:\n    main()", True),
        ("# if __name__ == '__main__':", False),
        ("x = '__main__'", False),
        ("", False),
    ],
)
def test_a_main_guard(source: str, guarded: bool) -> None:
    assert facts_of(source.encode()).guarded is guarded


@pytest.mark.parametrize(
    ("source", "strings"),
    [
        ("x = 'pkg.mod'", ("pkg.mod",)),
        ('x = "pkg.mod:run"', ("pkg.mod:run",)),
        ("x = 'tools/run.py'", ("tools/run.py",)),
        ("x = '.relative'", (".relative",)),
        ("x = 'word'", ()),
        ("x = 'two words.here'", ()),
        ("x = 'a.b' 'a.b'", ("a.b",)),
    ],
)
def test_quoted_names(source: str, strings: tuple[str, ...]) -> None:
    assert facts_of(source.encode()).strings == strings


@pytest.mark.parametrize(
    ("source", "commands"),
    [
        ("run(['python', '-m', 'pkg.mod'])", ("pkg.mod",)),
        ("run('python tools/x.py')", ("tools/x.py",)),
        ("# see tools/x.py", ("tools/x.py",)),
        ("x.pyc", ()),
        (".py", ()),
    ],
)
def test_names_of_commands(source: str, commands: tuple[str, ...]) -> None:
    assert facts_of(source.encode()).commands == commands


def test_a_path_is_run_only_where_something_runs() -> None:
    assert facts_of(b"subprocess.run('tools/x.py')").runs
    assert not facts_of(b"see = 'tools/x.py'").runs
    assert not facts_of(b"subprocess.run('ls')").runs


@pytest.mark.parametrize("each", LISTS)
def test_words_that_may_list_modules_are_kept(each: bytes) -> None:
    facts = facts_of(b"x = 1\n" + each + b" = []\n")
    assert each.decode() in facts.words
    assert facts.lists
    assert not facts_of(b"x = 1\n").lists


@pytest.mark.parametrize(
    "line",
    [
        "for each in iter_modules(path): pass", "from pkgutil import walk_packages", "load_plugins(__file__)",
        "find_modules(__path__)", "\ndef __getattr__(name): pass", "_LAZY = {}", "lazy_loader.attach()",
        "from x import LazyModule", "app.autodiscover_tasks()", "scanner.scan(pkg)", "runpy.run_path(x)",
        "from runpy import run_path", "SourceFileLoader(name, path)", "load_module(name)",
        "spec_from_file_location(name)", "_import_structure = {}", "bot.load_extension(name)",
        "import_module(f'pkg.{name}')", "__import__('pkg.' + name)", "import_string('%s.mod' % name)",
        "import pkgutil\nself._lazy = x", "import pkgutil\nwalk_packages", "find_spec(x)\nload_submodules(x)",
    ],
)  # fmt: skip
def test_code_that_finds_modules_or_puts_their_names_together(line: str) -> None:
    assert facts_of(line.encode()).loads


@pytest.mark.parametrize(
    "line",
    [
        "if __name__ == '__main__': pass", "INSTALLED_APPS = []", "pytest_plugins = []", "self._lazy = x",
        "find_submodules(x)", "import pkgutil", "import runpy", "lazy_map", "LazyMap", "plugins.__name__",
        "import_module('pkg.mod')", "__import__('pkg')", "import_module(name)", "discover(x)", "rescan(x)",
        "packages = []", "include=[]", "def f():\n    def __getattr__(self): pass", "FileLoader",
    ],
)  # fmt: skip
def test_code_that_does_not(line: str) -> None:
    assert not facts_of(line.encode()).loads


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import_module('a.b')", ("import(",)),
        ("import_module(name)", ("import(", "import(?")),
        ("x = '__import__('", ("import(", "import(?")),
        ("os.path.join(dirname(__file__), 'plugins')", ("plugins",)),
        ("join(here, 'addons')", ()),
        ("import extensions\nx = extensions.__name__\n", ("plugins",)),
        ("__all__ = ['plugin']", ()),
        ("x = 'from a.b import c'", ()),
    ],
)
def test_words_of_importers_and_of_folders_of_plugins(source: str, words: tuple[str, ...]) -> None:
    assert facts_of(source.encode()).words == words


@pytest.mark.parametrize(
    ("source", "commands"),
    [
        ("run(['python', '-c', 'import pkg.mod'])", ("pkg.mod",)),
        ("run('from pkg import mod')", ("pkg.mod",)),
        ("x = 'important.py'", ("important.py",)),
        ("x = 'import  b'", ()),
    ],
)
def test_names_of_code_in_strings(source: str, commands: tuple[str, ...]) -> None:
    facts = facts_of(source.encode())
    assert facts.commands == commands
    assert not any(each.startswith(("import ", "from ")) for each in facts.strings)


def test_a_generated_table_is_cut() -> None:
    data = "\n".join(f"x = 'a.b{number}'" for number in range(MAX_LISTED + 50)).encode()
    assert len(facts_of(data).strings) == MAX_LISTED


@pytest.mark.parametrize("row", [[], [1], [[], [], [], "x", []], [[], [], 3, 0, []], None, {}])
def test_another_row_is_refused(row: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Facts.from_row(row)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"'" * 200_000, b"a." * 200_000, b"\n import " * 20_000, b".py" * 60_000])
def test_no_bytes_take_long(data: bytes) -> None:
    assert len(facts_of(data).imports) <= MAX_LISTED
