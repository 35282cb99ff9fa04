"""A scan that remembers the last one answers as one that remembers nothing, whatever was edited since."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.discovery import scan, store
from orphans.discovery.roots import offered
from orphans.discovery.survey import Survey
from orphans.discovery.walk import walk
from tests.orphans.discovery.trees import BODY, write

TREE = {
    "run.py": "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n",
    "pyproject.toml": "[project]\nname = 'pkg'\n",
    "README.md": "# pkg\n",
    "pkg/__init__.py": "from pkg import used\n",
    "pkg/used.py": "",
    "pkg/lost.py": "def lost_and_gone(value):\n    return [value.first, value.second, value.third]\n",
    "pkg/plugins/__init__.py": "",
    "pkg/plugins/one.py": "",
    "pkg/plugins/two.py": "",
    "tests/test_used.py": "from pkg import used\n",
}
TEXTS = {
    ".py": (
        BODY,
        "from pkg import lost\n",
        "from .plugins import one\nimport two\n",
        "NAMES = ['pkg.lost', 'pkg.plugins.two']\n",
        "import importlib\n\nimportlib.import_module('.two', __package__)\n",
        "import importlib\n\n\ndef load(name):\n    return importlib.import_module(f'pkg.plugins.{name}')\n",
        "def lost_and_gone(it):\n    return [it.first, it.second, it.third]\n",
        "def broken(:\n",
        "print 'two'\n",
        "",
    ),
    "pyproject.toml": (
        "[project.scripts]\nrun = 'pkg.lost:main'\n",
        "[project]\nname = 'other'\n",
        "[broken",
    ),
    "README.md": ("    from pkg.lost import lost_and_gone\n", "nothing\n"),
    "Makefile": ("all:\n\tpython -m pkg.plugins.one\n", "all:\n\techo\n"),
}
PYTHON = [*(each for each in TREE if each.endswith(".py")), "pkg/new.py", "two.py", "pkg/plugins/three.py"]
EDITS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(PYTHON), st.sampled_from(TEXTS[".py"])),
    *(
        st.tuples(st.just("write"), st.just(each), st.sampled_from(TEXTS[each]))
        for each in TEXTS
        if each != ".py"
    ),
    st.tuples(st.just("delete"), st.sampled_from([*PYTHON, "pyproject.toml"]), st.just("")),
    st.tuples(st.just("rename"), st.sampled_from(PYTHON), st.sampled_from(PYTHON)),
)


def edit(root: Path, kind: str, path: str, other: str) -> None:
    """Change one file as an editor does."""
    place = root / path
    if kind == "write":
        write(root, {path: other.encode()})
    elif kind == "delete":
        place.unlink(missing_ok=True)
    elif place.exists():
        place.replace(root / other)


def answer(root: Path, cache: Path | None) -> dict[str, Any]:
    return {**scan(root, cache=cache).to_json(), "seconds": 0}


@settings(max_examples=10, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=4))
def test_after_every_edit_the_memory_answers_as_a_cold_scan(edits: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "FRESH_NS", -1)
        root, cache = write(Path(folder) / "tree", TREE), Path(folder) / "memory"
        answer(root, cache)
        for kind, path, other in edits:
            edit(root, kind, path, other)

            assert answer(root, cache) == answer(root, None)


def test_a_name_that_other_files_change_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FRESH_NS", -1)
    loads = "import importlib\n\nimportlib.import_module('.two', __package__)\n"
    root = write(
        tmp_path / "tree", {**TREE, "pkg/plugins/one.py": loads, "pkg/used.py": "from .plugins import one\n"}
    )
    assert "pkg/plugins/two.py" not in answer(root, tmp_path / "memory")["orphans"]

    for each in ("pkg/__init__.py", "pkg/plugins/__init__.py"):
        (root / each).unlink()

    assert answer(root, tmp_path / "memory") == answer(root, None)


def test_an_edited_document_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FRESH_NS", -1)
    root = write(tmp_path / "tree", TREE)
    before = answer(root, tmp_path / "memory")

    write(root, {"README.md": "    from pkg.lost import lost_and_gone\n"})

    after = answer(root, tmp_path / "memory")
    assert after["orphans"]["pkg/lost.py"]["confidence"] < before["orphans"]["pkg/lost.py"]["confidence"]


def test_what_is_remembered_needs_no_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FRESH_NS", -1)
    root = write(tmp_path / "tree", TREE)
    answer(root, tmp_path / "memory")
    code = (
        "import sys; from pathlib import Path; from orphans.discovery import scan;"
        f"found = scan(Path({str(root)!r}), cache=Path({str(tmp_path / 'memory')!r}));"
        "print(len(found.findings), 'orphans.discovery.spread' in sys.modules, 'ast' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["3", "False", "False"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("BACKENDS = ['pkg.mod',\n 'pkg.other.Class']\n", ["pkg.mod", "pkg.other.Class"]),
        ('x: "pkg.mod"', ["pkg.mod"]),
        ('f("pkg.mod", "word")', ["pkg.mod"]),
        (".. module:: pkg.mod\n.. py:module:: pkg.two\n", ["pkg.mod", "pkg.two"]),
        ("  .. module:: pkg.mod\n", []),
        ("see 'pkg.mod' there", []),
        ("'pkg.mod'", []),
        ("", []),
    ],
)
def test_what_a_manual_offers(text: str, names: list[str]) -> None:
    assert [name for _, name in offered(text)] == names


def test_an_offer_stands_where_its_list_or_sign_does() -> None:
    text = "KEY =\n\n  'pkg.mod'\n.. module:: pkg.two\n"

    assert [each.line for each in offered(text)] == [1, 4]


def test_notes_of_another_shape_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FRESH_NS", -1)
    root = write(
        tmp_path / "tree", {**TREE, "docs/use.rst": "NAME = 'pkg.lost'\n", "setup.cfg": "[x]\ny = pkg.used\n"}
    )
    wanted = answer(root, tmp_path / "memory")
    for place in (tmp_path / "memory").glob("*.files.json"):
        kept = json.loads(place.read_text())
        kept["notes"] = {
            path: {**row, "rows": [[1, 2, 3, 4, 5, 6, 7]]} for path, row in kept["notes"].items()
        }
        assert set(kept["notes"]) == {"docs/use.rst", "pyproject.toml", "setup.cfg"}
        place.write_text(json.dumps(kept))
    write(root, {"pkg/used.py": "x = 1\n"})

    assert {**answer(root, tmp_path / "memory"), "edges": 0} == {**wanted, "edges": 0}


def test_words_between_any_quotes(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": "x = ['one', \"two\", 'no.word', 'mixed\"] + \"\"\n"})

    assert Survey(walk(root)).quoted_words("a.py") == {"one", "two", "mixed"}
